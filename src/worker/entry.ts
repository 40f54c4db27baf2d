/**
 * What runs first in a worker: it opens the line to the thread that started it, and starts the processes that are asked for.
 * While it has nothing to do it says so, and waits without keeping anybody alive.
 */

import { inspect } from 'node:util'
import type { MessagePort } from 'node:worker_threads'
import { workerData } from 'node:worker_threads'
import type { Logger } from '../process/logger.ts'
import { currentRuntime } from '../process/runtime.ts'
import type { Peer } from './peer.ts'
import { keepPlaces, Places } from './places.ts'
import { startPlaced } from './start-placed.ts'
import type { Frame } from './wire.ts'
import { isCloneable, receivedReason, sendable } from './wire-error.ts'

interface Boot {
  readonly place: number
  readonly port: MessagePort
  readonly freezeEvents: boolean
  readonly sourceMaps: boolean
}

const boot: Boot = workerData
const runtime = currentRuntime()
const places = keepPlaces(new Places(runtime, boot.place, (to) => starter.line.send(['connect', to])))
const starter: Peer = places.add(0, { received, postReceived })
/** The port keeps the thread alive, because it has nothing else to do. */
let waiting = false

if (boot.sourceMaps) process.setSourceMapsEnabled(true)
runtime.configure({ freezeEvents: boot.freezeEvents, logger: forwardingLogger() })
starter.line.open(boot.port)

function received(frame: Frame): void {
  switch (frame[0]) {
    case 'start':
      return startPlaced(places, starter, frame)
    case 'connected': {
      const peer = places.known(frame[1]) ?? places.add(frame[1])
      peer.onPost = () => woken(true)
      return peer.line.open(frame[2])
    }
    case 'closed':
      return places.closed(frame[1], receivedReason(frame[2]), frame[3])
    case 'ping':
      return starter.line.send(['pong', frame[1]])
    case 'end':
      process.exit()
  }
}

function postReceived(): void {
  woken(false)
}

// ---- Whether there is work

/** Something came: what it starts may end, so the port must not keep the thread alive until it has. */
function woken(byOthers: boolean): void {
  if (!waiting) return
  waiting = false
  boot.port.unref()
  if (byOthers) starter.line.send(['busy'])
}

/** Milliseconds without anything to do after which it says so: between two batches of events it would say it all the time. */
const LULL = 20

function arrivals(): number {
  let sum = 0
  for (const { line } of places.peers) sum += line.arrived
  return sum
}

process.on('beforeExit', () => {
  const before = arrivals()
  runtime.clock.setTimer(LULL, () => {
    if (arrivals() === before) tellIdle()
  })
})

function tellIdle(): void {
  let sent = 0
  let arrived = 0
  for (const { place, line } of places.peers) {
    if (place === 0) continue
    sent += line.posted
    arrived += line.arrived
  }
  waiting = true
  boot.port.ref()
  starter.line.send(['idle', starter.line.arrived, sent, arrived])
}

// ---- Reports

/** Reports go where those of the program go. */
function forwardingLogger(): Logger {
  const log =
    (level: keyof Logger) =>
    (fields: object, text: string): void => {
      const { err, ...others } = { err: undefined, ...fields }
      const error = err === undefined ? undefined : sendable(err)
      starter.line.send(['log', level, sendableFields(others), error, text])
    }
  return { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') }
}

function sendableFields(fields: object): Readonly<Record<string, unknown>> {
  const entries = Object.entries(fields).map(([key, value]: [string, unknown]) => [
    key,
    isCloneable(value) ? value : inspect(value, { depth: 1 }),
  ])
  return Object.fromEntries(entries)
}
