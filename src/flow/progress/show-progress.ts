/** A progress as a bar in the terminal, by the package cli-progress. */

import { FlowError } from '../errors.ts'
import type { Progress } from './progress.ts'
import type { ProgressReport } from './run-counts.ts'

export interface ShowProgressOptions {
  /** What stands in front. Default nothing. */
  readonly label?: string | undefined
  /** Where it is drawn; what is no terminal gets a line every 2 seconds. Default standard error. */
  readonly stream?: NodeJS.WritableStream | undefined
}

/** Milliseconds between two lines where there is no terminal. */
const LINE_EVERY = 2000

/**
 * Draws a progress as a bar until the flow has ended: how much was read, how quickly, how long it will take; without a size only
 * what was read. Draws with the package cli-progress, which you install: `npm install cli-progress`.
 *
 * @example
 * ```ts
 * import { Flow, files, Progress, showProgress } from 'sluice/flow'
 *
 * const progress = new Progress()
 * const shown = showProgress(progress, { label: 'import' })
 * const rows = await Flow.from(files.lines('huge.txt')).withProgress(progress).count()
 * await shown
 * ```
 * @throws `FlowError` `missing_package`.
 */
export async function showProgress(progress: Progress, options: ShowProgressOptions = {}): Promise<void> {
  const { label = '', stream } = options
  const { SingleBar, Presets } = await loaded()
  let bar: InstanceType<typeof SingleBar> | undefined
  for await (const report of progress) {
    if (bar === undefined) {
      const front = label === '' ? '' : `${label} `
      const size = report.done === undefined ? '' : '{bar} {percent} | {left} | '
      const format = `${front}${size}{read} | {rate}/s`
      const output = stream === undefined ? {} : { stream }
      bar = new SingleBar(
        { format, hideCursor: true, noTTYOutput: true, notTTYSchedule: LINE_EVERY, ...output },
        Presets.shades_classic,
      )
      bar.start(1, 0, shown(report))
    }
    bar.update(report.done ?? 0, shown(report))
  }
  bar?.stop()
}

function shown({ read, rate, done, remaining }: ProgressReport): Record<string, string> {
  return {
    read: Math.round(read).toLocaleString('en'),
    rate: Math.round(rate).toLocaleString('en'),
    percent: `${Math.floor((done ?? 0) * 100)} %`,
    left: remaining === undefined ? '' : `${Math.ceil(remaining / 1000)} s left`,
  }
}

async function loaded(): Promise<typeof import('cli-progress')> {
  try {
    return (await import('cli-progress')).default
  } catch (error) {
    throw new FlowError(
      'missing_package',
      'showProgress draws with the package cli-progress, which cannot be loaded: npm install cli-progress',
      error,
    )
  }
}
