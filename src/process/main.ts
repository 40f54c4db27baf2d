/**
 * The program itself, as a process: free functions act for it. It traps exits; a linked process that ends abnormally and
 * has no supervisor is thrown as an uncaught error, so that scripts and tests fail.
 */

import { describeReason, isOrderly } from './exit-reason.ts'
import type { Tag } from './message.ts'
import { type Behaviour, Process } from './process.ts'
import type { Runtime } from './runtime.ts'
import { Exit } from './signals.ts'

class MainBehaviour implements Behaviour {
  readonly #runtime: Runtime

  constructor(runtime: Runtime) {
    this.#runtime = runtime
  }

  receive(_tag: Tag, payload: unknown): void {
    if (!(payload instanceof Exit)) return
    const { from, reason } = payload
    if (isOrderly(reason)) return
    const text = `${from} was started by the program, had no supervisor and ended: ${describeReason(reason)}`
    this.crashed(new Error(text, { cause: reason }))
  }

  crashed(thrown: unknown): void {
    this.#runtime.scheduler.throwUncaught(thrown)
  }

  ended(): void {}
}

export function startMain(runtime: Runtime): Process {
  const main = new Process(runtime, undefined, 'main')
  main.behaviour = new MainBehaviour(runtime)
  main.trap = 'all'
  return main
}
