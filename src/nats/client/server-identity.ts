/** Whose certificate a server has to show that is given by an address and not by a name. */

import { isIP } from 'node:net'
import { checkServerIdentity, type PeerCertificate } from 'node:tls'

/** What Node asks for when nobody says whom it connects to, as the client does with an address. */
const NOBODY = 'localhost'

/**
 * An option of TLS by which the certificate of a server without a name has to be for one of the addresses that were given; the client
 * would have it be for `localhost`. Nothing when all have names.
 */
export function serverIdentity(servers: readonly string[]): object {
  const hosts = servers.map((server) => new URL(server).hostname.replaceAll(/[[\]]/g, ''))
  const addresses = hosts.filter((host) => isIP(host) > 0)
  if (addresses.length === 0) return {}
  const expected = hosts.includes(NOBODY) ? [NOBODY, ...addresses] : addresses
  return {
    checkServerIdentity(name: string, certificate: PeerCertificate): Error | undefined {
      if (name !== NOBODY) return checkServerIdentity(name, certificate)
      const errors = expected.map((host) => checkServerIdentity(host, certificate))
      return errors.includes(undefined) ? undefined : errors[0]
    },
  }
}
