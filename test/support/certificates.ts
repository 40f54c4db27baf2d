/** Certificates for a test: authorities, and who they vouch for. Made with openssl. */

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'

export interface Certificate {
  readonly cert: string
  readonly key: string
}

/** Where they are, for servers. */
export interface CertificateFiles {
  readonly certFile: string
  readonly keyFile: string
}

const DAYS = ['-days', '2']
const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']

/** Vouches for others. Its files are gone when the tests of a file have ended. */
export class Authority {
  readonly certificate: Certificate & CertificateFiles
  readonly #folder = mkdtempSync(join(tmpdir(), 'sluice-'))

  constructor(name: string) {
    afterAll(() => rmSync(this.#folder, { recursive: true }))
    this.certificate = this.#make('ca', ['-x509', ...DAYS, '-subj', `/CN=${name}`])
  }

  /** For one host, or a client of that name. */
  issue(host: string): Certificate & CertificateFiles {
    const alternative = /^[\d.]+$/.test(host) ? `IP:${host}` : `DNS:${host}`
    return this.#make(host, [
      ...['-x509', ...DAYS, '-CA', this.#at('ca.pem'), '-CAkey', this.#at('ca.key')],
      ...['-subj', `/CN=${host}`, '-addext', `subjectAltName=${alternative}`, '-addext', 'basicConstraints=CA:FALSE'],
    ])
  }

  #at(name: string): string {
    return join(this.#folder, name)
  }

  #make(name: string, how: readonly string[]): Certificate & CertificateFiles {
    const [certFile, keyFile] = [this.#at(`${name}.pem`), this.#at(`${name}.key`)]
    execFileSync('openssl', ['req', ...KEY, '-keyout', keyFile, '-out', certFile, ...how], { stdio: 'pipe' })
    return { cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8'), certFile, keyFile }
  }
}
