/** The tree, and one run of it. */

import { CallError, child, name, run, startLink } from 'sluice'
import { Progress, type ProgressOptions } from '../../command-line/progress.ts'
import type { Source } from '../data/source.ts'
import { Chaos, type ChaosOptions } from './chaos.ts'
import { Counters } from './counter.ts'
import { Filter } from './filter.ts'
import { progressLine } from './progress.ts'
import { Reader } from './reader.ts'
import { type Result, Tally } from './tally.ts'

export interface CountOptions {
  readonly source: Source
  readonly counters: number
  readonly batchSize: number
  readonly delay: number
  readonly chaos?: ChaosOptions | undefined
  readonly progress?: ProgressOptions | undefined
}

export interface Outcome extends Result {
  readonly kills: number
}

/**
 * Counts the airports of a source. Whatever happens, nothing of it is left running.
 *
 * @throws `InputError` when the source is not what it should be.
 */
export async function countAirports(options: CountOptions): Promise<Outcome> {
  const { source, batchSize, counters, delay, chaos, progress } = options
  // Within 5 seconds, before all is given up. Chaos is no reason to.
  const maxRestarts = chaos === undefined ? 3 : 100_000
  const children = [
    // The counts die with the tally, and the run with them.
    child(Tally, { name: Tally, restart: 'temporary', significant: true }),
    child(Reader, { name: Reader, arg: { source, batchSize } }),
    child(Filter, { name: Filter }),
    child(Counters, { name: Counters, arg: { counters, delay, maxRestarts } }),
  ]
  // Ctrl-C stops it. What `await using` holds is stopped on the way out, the newest first; without it: app.stop() in a finally.
  await using _app = await run(children, {
    // Who falls takes those below with it: they hold batches that came through it.
    strategy: 'rest_for_one',
    maxRestarts,
    autoShutdown: 'any_significant',
    // Who presses Ctrl-C wants to know what is counted by now, not what else could be.
    drain: false,
  })
  await using killer = chaos && (await startLink(Chaos, { name: Chaos, arg: chaos }))
  await using _progress = progress && (await startLink(Progress, { arg: { ...progress, line: progressLine } }))
  return { ...(await result()), kills: (await killer?.call.kills()) ?? 0 }
}

async function result(): Promise<Result> {
  try {
    return await name(Tally).with({ timeout: Infinity }).call.result()
  } catch (error) {
    throw error instanceof CallError && error.code === 'failed' ? error.cause : error
  }
}
