/** The program, with its surroundings given to it. */

import { startLink } from 'sluice'
import { InputError } from '../command-line/input-error.ts'
import type { Output } from '../command-line/output.ts'
import { Screen } from '../command-line/screen.ts'
import { type Arguments, readArguments, USAGE } from './arguments.ts'
import { demonstrate } from './book/demonstrate.ts'
import { crawl } from './crawl/crawl.ts'
import { museum } from './world/museum.ts'
import { WebServer } from './world/web-server.ts'

/** Runs the program and returns its exit code. */
export async function program(args: readonly string[], out: Output, errors: Output): Promise<number> {
  try {
    const given = readArguments(args)
    const screen = new Screen(out)
    if (given.help) out.write(USAGE)
    else if (given.steps.length > 0) return await demonstrate(given.steps, screen)
    else if (given.url !== undefined) return await crawl({ ...given, start: given.url }, screen)
    else return await crawlMuseum(given, screen)
    return 0
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    errors.write(`scraper: ${error.message}\n`)
    return 1
  }
}

/** The site is no part of the application: it ends when that has ended. */
async function crawlMuseum(given: Arguments, screen: Screen): Promise<number> {
  await using server = await startLink(WebServer, { arg: { pages: museum } })
  return await crawl({ ...given, start: `${await server.call.origin()}/` }, screen)
}
