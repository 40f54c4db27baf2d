/** The tickets example, as its users run it, and what it says at the end. */

import { expect } from 'vitest'
import { Cable } from './cable.ts'
import { type Finished, type Options, runExample } from './example-program.ts'

/** With what is inside the program, whatever the environment says here. */
export function runTickets(args: readonly string[], options: Options = {}): Promise<Finished> {
  return runExample('tickets', args, { ...options, env: { DATABASE_URL: '', BROKER_URL: '', ...options.env } })
}

/** Sends a signal when bookings are on their way. */
export function stopped(signal: NodeJS.Signals, args: readonly string[], options: Options = {}): Promise<Finished> {
  return signalled(signal, (stdout) => /[1-9]\d* booked/.test(stdout), args, options)
}

/** Sends a signal when so many messages are done with, and all buyers have heard of their tickets. */
export function soldOut(count: number, args: readonly string[], options: Options = {}): Promise<Finished> {
  return signalled('SIGTERM', (stdout) => isSoldOut(stdout, count), args, options)
}

function isSoldOut(stdout: string, count: number): boolean {
  const line = /([\d,]+) booked, ([\d,]+) refused, (\d+) dead · queue \S+, in hand 0, .* 0 tickets to tell of/g
  return [...stdout.matchAll(line)].some(
    ([, ...counts]) => counts.reduce((sum, text) => sum + numberOf(text), 0) === count,
  )
}

/**
 * Sells so many bookings over a cable, which is taken away when that is done; then the program is asked to end. It has to say that it
 * does not know what is left, in a line.
 */
export async function expectAccountWithoutServer(
  count: number,
  broker: string,
  args: readonly string[],
): Promise<void> {
  await using cable = await Cable.lay(broker)
  let leaving: Promise<unknown> | undefined
  const { code, stdout, stderr } = await runTickets(['sell', '--forever', '--broker', cable.uri, ...args], {
    onOutput: (said, running) => {
      if (leaving === undefined && isSoldOut(said, count)) leaving = cable.remove().then(() => running.kill('SIGTERM'))
    },
  })
  const { booked, refused, left } = balanceIn(stdout)
  expect({ code, sum: booked + refused, left }).toEqual({ code: 1, sum: count, left: Number.NaN })
  expect(stdout).toMatch(/^ +\? left in the queue$/m)
  expect(stdout).not.toContain('MISSING')
  const text =
    /^tickets: .+: what is left in \S+ could not be counted \(.+\); the account is incomplete, and nobody knows whether a booking is missing$/m
  expect(stderr).toMatch(text)
  expect(stderr).not.toMatch(/^ +at /m)
}

function signalled(
  signal: NodeJS.Signals,
  isTime: (stdout: string) => boolean,
  args: readonly string[],
  options: Options,
): Promise<Finished> {
  let sent = false
  return runTickets(args, {
    ...options,
    onOutput: (stdout, running) => {
      if (!sent && isTime(stdout)) sent = running.kill(signal)
    },
  })
}

const numberOf = (text = 'none') => Number(text.replaceAll(',', ''))

/** Half of the deadline is enough, also on a machine with much else to do: what takes longer is told. */
export const UNHURRIED = ['--deadline', '60000']

/** The numbers of a summary. */
export function balanceIn(stdout: string) {
  const number = (pattern: RegExp) => numberOf(pattern.exec(stdout)?.[1])
  return {
    accepted: number(/^([\d,]+) bookings accepted/m),
    booked: number(/^ *([\d,]+) booked$/m),
    refused: number(/^ *([\d,]+) refused/m),
    failed: number(/^ *([\d,]+) failed/m),
    left: number(/^ *([\d,]+) left in the queue/m),
    told: number(/^([\d,]+) tickets told of/m),
    untold: number(/([\d,]+) not told of$/m),
    killed: number(/([\d,]+) processors killed/),
    thrown: number(/([\d,]+) handlers threw/),
    outages: number(/([\d,]+) outages of the database/),
  }
}

/** Nothing that was accepted is lost, and nothing is counted twice. */
export function expectNothingLost(stdout: string) {
  const { accepted, booked, refused, failed, left, told, untold } = balanceIn(stdout)
  expect(booked + refused + failed + left).toBe(accepted)
  expect(told + untold).toBe(booked)
  expect(stdout).not.toContain('MISSING')
}
