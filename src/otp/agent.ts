/** Agent: a process that holds a state, and nothing else. */

import { AgentError } from './errors.ts'
import { GenServer } from './gen-server.ts'
import { isPromise } from './server-behaviour.ts'

/** The messages of an agent as calls; what the function returns is the reply, typed. */
export interface AgentCalls<S> {
  /** The reply is what the function makes of the state. Elixir: `Agent.get`. */
  get<R>(read: (state: S) => R): Promise<Awaited<R>>
  /** The function makes the next state. Elixir: `Agent.update`. */
  update(change: (state: S) => S | PromiseLike<S>): Promise<void>
  /** The function makes the reply and the next state. Elixir: `Agent.get_and_update`. */
  getAndUpdate<R>(change: (state: S) => AgentStep<R, S> | PromiseLike<AgentStep<R, S>>): Promise<R>
}

/** A reply and the next state. */
export type AgentStep<R, S> = readonly [reply: R, state: S]

/**
 * A state that several processes share: `agent.call.get(read)`, `agent.call.update(change)`, `agent.call.getAndUpdate(step)`,
 * and `agent.cast.update(change)` to wait for nothing. The functions run inside the agent, one at a time; one that awaits
 * holds the others up, one that throws ends the agent. `arg` is a function that makes the first state, at every start anew; it
 * may be async.
 *
 * @example
 * ```ts
 * import { Agent, startLink } from 'sluice'
 *
 * const counts = await startLink(Agent<Map<string, number>>, { arg: () => new Map() })
 * counts.cast.update((state) => state.set('a', 1))
 * console.log(await counts.call.get((state) => state.get('a'))) // 1
 * await counts.stop()
 * ```
 * Elixir: `Agent`.
 */
export class Agent<S = unknown> extends GenServer {
  /** The types of its calls, which depend on the functions given; exists for the compiler only. */
  declare readonly $calls?: AgentCalls<S> | undefined
  readonly #initial: () => S | PromiseLike<S>
  #state!: S

  constructor(initial: () => S | PromiseLike<S>) {
    super()
    this.#initial = initial
  }

  override init(): void | Promise<void> {
    return this.#set(this.#run(this.#initial, 'the initial state', []))
  }

  get<R>(read: (state: S) => R): R {
    return this.#run(read, 'get', [this.#state])
  }

  update(change: (state: S) => S | PromiseLike<S>): void | Promise<void> {
    return this.#set(this.#run(change, 'update', [this.#state]))
  }

  getAndUpdate<R>(change: (state: S) => AgentStep<R, S> | PromiseLike<AgentStep<R, S>>): R | Promise<R> {
    const result = this.#run(change, 'getAndUpdate', [this.#state])
    return isPromise(result) ? Promise.resolve(result).then((step) => this.#take(step)) : this.#take(result)
  }

  #run<A extends readonly unknown[], R>(run: (...args: A) => R, what: string, args: A): R {
    if (typeof run === 'function') return run(...args)
    throw new AgentError('bad_argument', `${what} of ${this}: expected a function, got ${String(run)}`)
  }

  #set(state: S | PromiseLike<S>): void | Promise<void> {
    if (isPromise(state)) return Promise.resolve(state).then((settled) => this.#set(settled))
    this.#state = state
  }

  #take<R>(step: AgentStep<R, S>): R {
    if (!Array.isArray(step) || step.length !== 2) {
      const text = `the function given to getAndUpdate of ${this} returned ${String(step)}, expected [reply, state]`
      throw new AgentError('bad_return', text)
    }
    const [reply, state] = step
    this.#state = state
    return reply
  }
}
