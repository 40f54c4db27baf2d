/** The program, with its surroundings given to it. */

import { configure } from 'sluice'
import { FlowError } from 'sluice/flow'
import { InputError } from '../command-line/input-error.ts'
import type { Output } from '../command-line/output.ts'
import { progressOn } from '../command-line/progress.ts'
import { Screen } from '../command-line/screen.ts'
import { type Arguments, readArguments, USAGE } from './arguments.ts'
import { demonstrate } from './book/demonstrate.ts'
import { bundledFile, bundledSource, fileSource } from './data/source.ts'
import { countAirports } from './live/pipeline.ts'
import { report } from './live/report.ts'

/** Batches between two kills, on average. */
const BATCHES_A_KILL = 10

/** Runs the program and returns its exit code. */
export async function program(args: readonly string[], out: Output, errors: Output): Promise<number> {
  try {
    const given = readArguments(args)
    if (given.help) out.write(USAGE)
    else if (given.steps.length > 0) await showSteps(given, out)
    else await countLive(given, out)
    return 0
  } catch (error) {
    const mistake = mistakeIn(error)
    if (mistake === undefined) throw error
    errors.write(`airports: ${mistake}\n`)
    return 1
  }
}

async function countLive({ file, counters, batch: batchSize, delay, chaos, seed }: Arguments, out: Output) {
  const source = file === undefined ? bundledSource() : fileSource(file)
  out.write(`Counting the open airports of ${source.name} with ${counters} counters${chaos ? ' and chaos' : ''}\n\n`)
  const started = performance.now()
  const outcome = await countAirports({
    source,
    counters,
    batchSize,
    delay,
    chaos: chaos ? { seed, every: BATCHES_A_KILL } : undefined,
    progress: progressOn(new Screen(out)),
  })
  out.write(report(outcome, performance.now() - started))
}

async function showSteps({ steps, file, stages, delay }: Arguments, out: Output) {
  // What a flow fails of it gives to who waits for it.
  configure({ logger: { debug() {}, info() {}, warn() {}, error() {} } })
  await using bundled = file === undefined ? await bundledFile() : undefined
  const path = file ?? bundled?.path ?? ''
  await demonstrate(steps, { path, stages, delay }, new Screen(out))
}

/** What is wrong with the input; a flow that failed of it has that as its cause. */
function mistakeIn(error: unknown): string | undefined {
  if (error instanceof InputError) return error.message
  if (!(error instanceof FlowError)) return undefined
  return error.code === 'failed' ? mistakeIn(error.cause) : error.message
}
