/**
 * A world of its own to test in: a runtime with its own names, a clock that stands still until it is turned, and an order of
 * processes that a seed reproduces. Nothing in it waits for real time.
 */

import { AsyncLocalStorage } from 'node:async_hooks'
import { Deadlines, type Expiring } from '../process/deadlines.ts'
import type { Logger } from '../process/logger.ts'
import type { Process } from '../process/process.ts'
import type { Ref } from '../process/ref.ts'
import { Runtime, resolveRuntimeBy } from '../process/runtime.ts'
import { nextTurn } from '../process/scheduler.ts'
import { Probe } from './probe.ts'
import { defaultSeed, seededRandom } from './random.ts'
import { SeededScheduler } from './seeded-scheduler.ts'
import { SimulatedProgram } from './simulated-program.ts'
import { VirtualClock } from './virtual-clock.ts'

export interface SimulationOptions {
  /** What decides the order of processes. Default: another one each time, or as `SLUICE_SEED` says; told when the simulation fails. */
  readonly seed?: number | undefined
  /** Deep-freezes emitted events. Default true. */
  readonly freezeEvents?: boolean | undefined
}

/** One line that was logged. */
export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly message: string
  readonly fields: object
}

/** `advance` was asked to go on while processes wait for something outside of the simulation. */
export class SimulationError extends Error {
  /** The processes that wait. */
  readonly waiting: readonly string[]

  constructor(message: string, waiting: readonly string[]) {
    super(message)
    this.name = 'SimulationError'
    this.waiting = waiting
  }
}

/** In which simulation, and in which of its processes, code runs. Only simulations pay for this. */
interface Place {
  readonly runtime: Runtime
  readonly process: Process | undefined
}

const places = new AsyncLocalStorage<Place>()

/** Deadlines that know who waits for them. */
class OwnedDeadlines extends Deadlines {
  readonly owners = new Map<Expiring, Process>()

  override add(entry: Expiring, ms: number): void {
    const owner = places.getStore()?.process
    if (owner !== undefined) this.owners.set(entry, owner)
    super.add(entry, ms)
  }

  override remove(entry: Expiring): void {
    this.owners.delete(entry)
    super.remove(entry)
  }
}

/** Turns of the event loop without anything to do after which a simulation has settled. */
const QUIET_TURNS = 3

export class Simulation {
  readonly seed: number
  /** Everything that was logged, oldest first. */
  readonly logs: LogLine[] = []
  readonly clock: VirtualClock = new VirtualClock()
  /** Stands for the program in which `run` is called: send it signals, see how it ended. */
  readonly program: SimulatedProgram = new SimulatedProgram()
  readonly #runtime: Runtime
  #deadlines!: OwnedDeadlines
  #scheduler!: SeededScheduler
  readonly #processes = new Set<Process>()

  constructor(options: SimulationOptions = {}) {
    this.seed = options.seed ?? defaultSeed()
    resolveRuntimeBy(() => places.getStore()?.runtime)
    const { clock } = this
    this.#runtime = new Runtime({
      clock,
      deadlines: () => {
        this.#deadlines = new OwnedDeadlines(clock)
        return this.#deadlines
      },
      scheduler: (endTurn) => {
        const within = (process: Process | undefined, run: () => void): void =>
          places.run({ runtime: this.#runtime, process }, run)
        this.#scheduler = new SeededScheduler(seededRandom(this.seed), within, () => endTurn(clock.now()))
        return this.#scheduler
      },
      holdsProgram: false,
      program: this.program,
    })
    this.#runtime.logger = this.#recorder()
    // Numbers of its own, so that who chooses does not change who runs next.
    this.#runtime.random = seededRandom(this.seed + 1)
    this.#runtime.freezeEvents = options.freezeEvents ?? true
    this.#runtime.onProcess = (process) => {
      this.#processes.add(process)
      process.onEnd(() => this.#processes.delete(process))
    }
  }

  /** Milliseconds since the simulation began. */
  get now(): number {
    return this.clock.now()
  }

  /** The processes that are alive, oldest first. */
  get processes(): readonly Ref[] {
    return [...this.#processes].map((process) => process.ref)
  }

  /**
   * Runs a test in the simulation: everything that it starts lives there, and is killed at the end. A failure tells the seed.
   */
  async run<T>(test: (simulation: Simulation) => T | Promise<T>): Promise<T> {
    try {
      const result = await places.run({ runtime: this.#runtime, process: undefined }, async () => await test(this))
      await this.settle()
      const [uncaught] = this.#scheduler.uncaught
      if (uncaught !== undefined) throw uncaught
      return result
    } catch (error) {
      if (error instanceof Error) {
        error.message += `\n(simulation seed ${this.seed}: simulate({ seed: ${this.seed} }) runs it again in the same order)`
      }
      throw error
    } finally {
      for (const process of [...this.#processes].reverse()) process.kill()
    }
  }

  /**
   * Lets everything run that can run without time passing. Says which processes still wait for something outside of the
   * simulation, such as a socket or a real timer.
   */
  async settle(): Promise<readonly string[]> {
    for (let quiet = 0; quiet < QUIET_TURNS; quiet++) {
      await nextTurn()
      if (!this.#scheduler.idle) quiet = -1
    }
    return this.#waitingOutside().map(String)
  }

  /**
   * Moves time on, from timer to timer, and settles at each.
   *
   * @throws `SimulationError` when processes wait for something outside; with `foreign` they are left waiting.
   */
  async advance(ms: number, options: { readonly foreign?: boolean } = {}): Promise<void> {
    const until = this.now + ms
    await this.#settleInside(options)
    while (this.clock.fireNext(until)) await this.#settleInside(options)
    this.clock.moveTo(until)
  }

  async #settleInside(options: { readonly foreign?: boolean }): Promise<void> {
    const waiting = await this.settle()
    if (waiting.length === 0 || options.foreign === true) return
    const text = `time cannot move on: ${waiting.join(', ')} waits for something outside of the simulation; wait for it first, or advance(ms, { foreign: true })`
    throw new SimulationError(text, waiting)
  }

  /** What was uncaught so far; it fails `run`. Taking it says that it was expected. */
  takeUncaught(): readonly unknown[] {
    return this.#scheduler.uncaught.splice(0)
  }

  /** A process to receive messages with. */
  probe(): Probe {
    return new Probe(this.#runtime)
  }

  /** Held processes that wait neither for a call of this simulation, nor for its clock, nor for their children. */
  #waitingOutside(): readonly Process[] {
    const callers = new Set(this.#deadlines.owners.values())
    return [...this.#processes].filter(
      (process) => process.held && process.sleeping === 0 && !callers.has(process) && !isSupervisor(process),
    )
  }

  #recorder(): Logger {
    const record =
      (level: LogLine['level']) =>
      (fields: object, message: string): void => {
        this.logs.push({ level, message, fields })
      }
    return { debug: record('debug'), info: record('info'), warn: record('warn'), error: record('error') }
  }
}

/** A new simulation: `await simulate({ seed }).run(async (sim) => { ... })`. */
export function simulate(options?: SimulationOptions): Simulation {
  return new Simulation(options)
}

/** What a supervisor waits for are its children, which speak for themselves. */
function isSupervisor({ stubs }: Process): boolean {
  return stubs?.childType === 'supervisor'
}
