/** The program, with its surroundings given to it. */

import { child, name, run } from 'sluice'
import { InputError } from '../command-line/input-error.ts'
import type { Output } from '../command-line/output.ts'
import { type Arguments, readArguments, USAGE } from './arguments.ts'
import type { CrashLog } from './crash-log.ts'
import { demonstrate } from './demonstration.ts'
import { MailServer } from './mail-server.ts'
import { answer, MAX_CLIENTS } from './recipients.ts'
import { checkServer, smtp } from './smtp.ts'
import { Mailers } from './steps/5-supervised.ts'

/** Runs the program and returns its exit code. */
export async function program(args: readonly string[], out: Output, errors: Output, log: CrashLog): Promise<number> {
  try {
    const given = readArguments(args)
    if (given.help) {
      out.write(USAGE)
      return 0
    }
    if (given.smtp !== undefined) await checkServer(given.smtp)
    return await demonstration(given, out, log)
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    errors.write(`sender: ${error.message}\n`)
    return 1
  }
}

/** Runs as an application, which Ctrl-C ends in order. */
async function demonstration(given: Arguments, out: Output, log: CrashLog): Promise<number> {
  const { smtp: real, from, addresses } = given
  const server = child(MailServer, { name: MailServer, arg: { answer, maxClients: MAX_CLIENTS } })
  // The last one stops first: mails that are on their way are finished while their server is there.
  const app = await run([...(real === undefined ? [server] : []), child(Mailers, { name: Mailers })], { logger: log })
  const interrupt = new AbortController()
  void app.done.then(() => interrupt.abort())
  const url = real ?? (await name(MailServer).call.url())
  out.write(`${addresses.length} mails to ${new URL(url).host}\n\n`)
  await demonstrate({ ...given, send: smtp({ url, from }), out, log, signal: interrupt.signal })
  const { exitCode } = await app.stop()
  return exitCode
}
