/** Runs steps one after the other, and shows each. */

import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Output } from '../command-line/output.ts'
import { brief, chart, scaleFor, time } from './chart.ts'
import type { CrashLog } from './crash-log.ts'
import { Flights, messageOf } from './flights.ts'
import type { Limits, Send } from './mail.ts'
import { drawOn } from './output.ts'
import { STEPS, type Step, type Told } from './steps.ts'

export interface DemonstrationOptions {
  /** From 1 on. */
  readonly steps: readonly number[]
  readonly addresses: readonly string[]
  readonly send: Send
  readonly limits: Limits
  readonly out: Output
  readonly log: CrashLog
  /** Ends it early. */
  readonly signal: AbortSignal
}

/** Milliseconds of a column, to begin with. */
const SCALE = 10

/** Characters of what an error says. */
const LONGEST = 120

export async function demonstrate({ steps, signal, ...options }: DemonstrationOptions): Promise<void> {
  let scale = SCALE
  for (const number of steps) {
    const step = STEPS[number - 1]
    if (step === undefined || signal.aborted) return
    scale = await show({ number, step, scale, signal, ...options })
  }
}

interface Scene extends Omit<DemonstrationOptions, 'steps'> {
  readonly number: number
  readonly step: Step
  readonly scale: number
}

/** Runs a step, and returns the scale of its picture. */
async function show({ number, step, addresses, send, limits, out, log, signal, ...scene }: Scene): Promise<number> {
  out.write(`${number}. ${step.title}: ${step.calls}\n\n`)
  const flights = new Flights(send, signal)
  let { scale } = scene
  let returned: number | undefined
  const draw = () => {
    scale = scaleFor(flights.elapsed, scale)
    return chart({ addresses, flights, returned, scale })
  }
  const finish = drawOn(out, draw)
  const { knows, rest } = await told(step.run(addresses, flights.send, limits))
  returned = flights.elapsed
  // The caller has its answer. These are only for the picture.
  await rest
  await flights.landed()
  const all = flights.elapsed
  await nextTurn()
  finish()
  const [first, ...others] = log.take()
  const more = others.length === 0 ? '' : `, and ${others.length} more`
  const lines = [
    `   in all       ${time(all).trim()}, ${flights.most} on their way at the same time`,
    `   caller knows ${brief(knows, LONGEST)}`,
    ...(first === undefined ? [] : [`   log          ${brief(first, LONGEST)}${more}`]),
    `   lesson       ${step.lesson}`,
  ]
  out.write(`\n${lines.join('\n')}\n\n`)
  return scale
}

async function told(result: Promise<Told>): Promise<Told> {
  try {
    return await result
  } catch (error) {
    return { knows: `${error instanceof Error ? error.name : 'an error'}: ${messageOf(error)}` }
  }
}
