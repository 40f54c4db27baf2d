/** The program, with its surroundings given to it. */

import { run } from 'sluice'
import { InputError } from '../command-line/input-error.ts'
import type { Output } from '../command-line/output.ts'
import { type Arguments, readArguments, USAGE } from './arguments.ts'
import type { Job } from './jobs.ts'
import { heading } from './picture.ts'
import { Pool } from './pool.ts'
import { tree } from './tree.ts'

/** Runs the program and returns its exit code. */
export async function program(args: readonly string[], out: Output, errors: Output): Promise<number> {
  try {
    const given = readArguments(args)
    if (!given.help) return await work(given, out)
    out.write(USAGE)
    return 0
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    errors.write(`worker-pool: ${error.message}\n`)
    return 1
  }
}

async function work({ workers, capacity, jobs: count, work: ms, overflow }: Arguments, out: Output): Promise<number> {
  const draw = (line: string) => out.write(`${line}\n`)
  draw(`${count} jobs, ${workers} workers; when the queue is full: ${overflow}\n`)
  draw(heading(workers, capacity))
  const pool = new Pool(workers)
  const jobs = Array.from({ length: count }, (_, nth): Job => ({ id: nth + 1, ms: duration(nth, ms) }))
  const options = { capacity, overflow, jobs, pool, pause: 5 * ms, every: ms, draw }
  const app = await run(tree(options), { strategy: 'rest_for_one', autoShutdown: 'any_significant' })
  const { exitCode } = await app.done
  draw(`\n${summary(pool, count)}`)
  return exitCode
}

/** From half to one and a half of the average, always the same for the same job. */
function duration(nth: number, average: number): number {
  return Math.round(average * (0.5 + ((nth * 7) % 11) / 10))
}

function summary({ done, refused, dropped, elapsed }: Pool, count: number): string {
  const parts = { refused, dropped, 'not done': count - done - refused - dropped }
  const rest = Object.entries(parts).flatMap(([what, jobs]) => (jobs > 0 ? `${jobs} ${what}` : []))
  return [`${done} jobs done in ${(elapsed / 1000).toFixed(1)} s`, ...rest].join(', ')
}
