/**
 * A worker thread, seen from the thread that started it: what is asked of it, whether it has work, and how it ended. It keeps
 * the program alive only while it has work, and is ended when it does not answer within its deadline.
 */

import { Worker } from 'node:worker_threads'
import { StartError, type StartErrorCode } from '../otp/errors.ts'
import type { Timer } from '../process/clock.ts'
import type { ExitReason } from '../process/exit-reason.ts'
import type { Runtime } from '../process/runtime.ts'
import { WorkerError } from './errors.ts'
import { entryFile, typeScriptLoader } from './module-file.ts'
import type { Peer } from './peer.ts'
import type { StandInProcess } from './stand-in.ts'
import type { ThreadOptions } from './thread-options.ts'
import { type Threads, threadsOf } from './threads.ts'
import type { Frame, StartRequest, WireType } from './wire.ts'
import { receivedReason } from './wire-error.ts'

/** How a process has ended that ran in a worker. */
export interface ProcessEnd {
  readonly id: number
  readonly reason: ExitReason
}

/** A process on its way in a worker. */
export interface Birth {
  readonly standIn: StandInProcess
  /** The process is there, not yet initialised. */
  born(type: WireType | undefined): void
  started(): void
  refused(error: unknown): void
}

/** Milliseconds that a worker has to end when it was asked to. */
const END_GRACE = 1000
/** Milliseconds that it has to answer when one of its processes was killed. */
const KILL_GRACE = 1000

// A script, not a module: it has to run before anything can load TypeScript, which our own sources are too.
const BOOT = `
const { workerData } = require('node:worker_threads')
const load = async () => {
  if (workerData.loader !== undefined) {
    const { register } = await import(workerData.loader)
    register()
    globalThis[Symbol.for('sluice.typescript')] = true
  }
  await import(workerData.entry)
}
load()
`

export class Thread {
  readonly peer: Peer
  /** Processes that were placed here and have not ended. */
  placed = 0
  /** It has done all it was sent. */
  quiet = false
  /** Posts that it has exchanged with other workers. */
  sentToOthers = 0
  receivedFromOthers = 0
  readonly #runtime: Runtime
  readonly #threads: Threads
  readonly #worker: Worker
  readonly #deadline: number
  readonly #births = new Map<number, Birth>()
  #lastBirth = 0
  /** It runs, and has answered. */
  #ready = false
  /** It was told something that it has to do at once. */
  #told = false
  /** Pings are numbered: what came in meanwhile may have been sent before it got stuck. */
  #pings = 0
  #answered = 0
  #watchdog: { readonly timer: Timer; readonly until: number } | undefined = undefined
  /** Why it ends, or has ended. */
  #reason: ExitReason | undefined = undefined
  #ended = false
  /** The process whose end is the end of the thread: those who did not hear of it yet are to hear that, and not how the thread ended. */
  last: ProcessEnd | undefined = undefined
  readonly #onEnd: (() => void)[] = []

  /** @throws `WorkerError` `bad_options` inside a worker, which starts no others. */
  constructor(runtime: Runtime, options: ThreadOptions = {}) {
    this.#runtime = runtime
    this.#deadline = options.deadline ?? Infinity
    this.#threads = threadsOf(runtime)
    const { peer, port } = this.#threads.add(this)
    this.peer = peer
    this.#worker = new Worker(BOOT, {
      eval: true,
      name: `sluice ${peer.place}`,
      resourceLimits: options.resourceLimits,
      env: options.env === undefined ? { ...process.env } : { ...options.env },
      workerData: {
        entry: entryFile,
        loader: typeScriptLoader(entryFile),
        place: peer.place,
        port,
        freezeEvents: runtime.freezeEvents,
        sourceMaps: Reflect.get(process, 'sourceMapsEnabled') === true,
      },
      transferList: [port],
    })
    this.#worker.on('error', (error) => this.#failed(error))
    this.#worker.on('exit', (code) => this.#exited(code))
    peer.line.onSend = () => this.#sent()
  }

  get ended(): boolean {
    return this.#ended
  }

  /** Why it ends, or has ended; `undefined` while it runs. */
  get reason(): ExitReason | undefined {
    return this.#reason
  }

  /** It takes more processes. */
  get usable(): boolean {
    return this.#reason === undefined
  }

  /** Calls back once when the thread has ended; at once when it has. */
  onEnd(listener: () => void): void {
    if (this.#ended) listener()
    else this.#onEnd.push(listener)
  }

  /** Starts a process in the worker. */
  start(request: StartRequest, birth: Birth): void {
    if (this.#reason !== undefined) return birth.refused(this.#reason)
    const number = ++this.#lastBirth
    this.#births.set(number, birth)
    this.peer.line.send(['start', number, request, typeScriptLoader(request.module)])
  }

  /** Asks the worker to end; one that does not is ended. Its processes end with the reason. */
  end(reason: ExitReason, last?: ProcessEnd): void {
    if (this.#reason !== undefined) return
    this.#reason = reason
    this.last = last
    this.peer.line.send(['end'])
    const grace = this.#runtime.clock.setTimer(END_GRACE, () => void this.#worker.terminate(), false)
    this.onEnd(() => grace.cancel())
  }

  /** Ends the worker at once, whatever it does. Its processes end with the reason. */
  terminate(reason: ExitReason): void {
    this.#reason ??= reason
    void this.#worker.terminate()
  }

  /** Whether it keeps the program alive. */
  hold(holds: boolean): void {
    if (holds) this.#worker.ref()
    else this.#worker.unref()
  }

  // ---- What it tells

  received(frame: Frame): void {
    switch (frame[0]) {
      case 'born':
        return this.#born(frame[1], frame[2].id, frame[2].type)
      case 'started': {
        const birth = this.#births.get(frame[1])
        this.#births.delete(frame[1])
        return birth?.started()
      }
      case 'refused': {
        const birth = this.#births.get(frame[1])
        this.#births.delete(frame[1])
        return birth?.refused(rebuilt(receivedReason(frame[2])))
      }
      case 'connect':
        return this.#threads.connect(this, frame[1])
      case 'log': {
        const [, level, fields, error, text] = frame
        const err = error === undefined ? {} : { err: receivedReason(error) }
        return this.#runtime.logger[level]({ ...fields, ...err, worker: this.peer.place }, text)
      }
      case 'pong':
        this.#answered = frame[1]
        return
      case 'busy':
        this.quiet = false
        return this.#threads.holdBusy()
      case 'idle':
        this.sentToOthers = frame[2]
        this.receivedFromOthers = frame[3]
        this.quiet = frame[1] === this.peer.line.posted
        return this.#threads.holdBusy()
    }
  }

  postReceived(): void {
    if (this.#ready) return
    this.#ready = true
    this.#watch(this.#told ? this.#killGrace : this.#deadline)
  }

  #born(number: number, id: number, type: WireType | undefined): void {
    const birth = this.#births.get(number)
    if (birth === undefined) return
    // It was killed meanwhile.
    if (!birth.standIn.alive) return this.peer.line.send(['kill', id])
    this.peer.adopt(birth.standIn, { peer: this.peer, id, type })
    birth.born(type)
  }

  // ---- Whether it answers

  /** It was told something that it has to do now: one that is stuck in a callback is ended. */
  mustAnswer(): void {
    this.#told = true
    // While it loads, which takes its time, none of its processes can be stuck.
    if (this.#ready) this.#watch(this.#killGrace)
  }

  get #killGrace(): number {
    return Math.min(this.#deadline, KILL_GRACE)
  }

  #sent(): void {
    if (this.quiet) {
      this.quiet = false
      this.hold(true)
    }
    if (this.#ready && this.#watchdog === undefined) this.#watch()
  }

  #watch(ms: number = this.#deadline): void {
    if (ms === Infinity || this.#reason !== undefined) return
    const { clock } = this.#runtime
    const until = clock.now() + ms
    if (this.#watchdog !== undefined) {
      if (this.#watchdog.until <= until) return
      this.#watchdog.timer.cancel()
    }
    const ping = ++this.#pings
    this.#watchdog = { timer: clock.setTimer(ms, () => this.#look(ms, ping), false), until }
    this.peer.line.send(['ping', ping])
  }

  #look(ms: number, ping: number): void {
    this.#watchdog = undefined
    if (this.#ended) return
    if (this.#answered >= ping) {
      if (!this.quiet) this.#watch()
      return
    }
    const text = `${this.peer} did not answer within ${ms} ms and was ended: a callback did not return`
    this.terminate(new WorkerError('unresponsive', text))
  }

  // ---- How it ends

  #failed(error: unknown): void {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    const text = error instanceof Error ? error.message : String(error)
    this.#reason ??=
      code === 'ERR_WORKER_OUT_OF_MEMORY'
        ? new WorkerError('out_of_memory', `${this.peer} has used up its memory: ${text}`, { cause: error })
        : new WorkerError('crashed', `${this.peer} has ended with an error that nobody caught: ${text}`, {
            cause: error,
          })
  }

  #exited(code: number): void {
    this.#ended = true
    this.#watchdog?.timer.cancel()
    // What it has told before its end counts.
    this.peer.line.receiveRest()
    const text = `${this.peer} has ended with code ${code}: process.exit was called in it`
    const reason = (this.#reason ??= new WorkerError('exited', text))
    // Whoever waited for it has a reason of its own.
    for (const listener of this.#onEnd.splice(0)) listener()
    for (const birth of this.#births.values()) birth.refused(reason)
    this.#births.clear()
    this.#threads.ended(this, reason)
  }
}

const START_CODES: readonly string[] = ['start_failed', 'timeout', 'bad_class', 'bad_options', 'ignore']

/** The error of a start, which has lost its class on its way. */
function rebuilt(error: ExitReason): ExitReason {
  if (!(error instanceof Error) || error.name !== 'StartError') return error
  const code: unknown = Reflect.get(error, 'code')
  return isStartCode(code) ? new StartError(code, error.message, { cause: error.cause }) : error
}

function isStartCode(code: unknown): code is StartErrorCode {
  return typeof code === 'string' && START_CODES.includes(code)
}
