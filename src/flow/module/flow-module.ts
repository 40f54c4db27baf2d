/**
 * A flow as a function of a module. Functions cannot be sent to another thread, but a module can be loaded there: it calls the same
 * function with the same parameters, and has the same flow, with closures of its own.
 */

import { show } from '../../stage/show.ts'
import { AnyFlow, definitionOf, step } from '../any-flow.ts'
import type { StepDefinition } from '../definition.ts'
import { FlowError } from '../errors.ts'
import { checkFunction } from '../operation.ts'
import { clonedParameters } from './parameters.ts'

/** What is needed of `import.meta`. */
export interface ModuleMeta {
  readonly url: string
}

/** A flow that a module defines, for any parameters of type `P`; its events are of type `T`. Made with `defineFlow`. */
export class FlowModule<in P, out T> {
  /** The URL of the module. */
  readonly url: string
  /** Which of the flows that the module defines, from 0. */
  readonly place: number
  readonly #factory: (params: P) => AnyFlow<T>
  readonly #bundled: boolean

  /** @internal */
  constructor(meta: ModuleMeta, place: number, factory: (params: P) => AnyFlow<T>) {
    this.url = meta.url
    this.place = place
    this.#factory = factory
    this.#bundled = 'env' in meta
  }

  /**
   * The flow for these parameters, to be run as any other: `counts.flow({ path }).toMap()`. What is added to it is no part of the
   * module.
   *
   * @throws `FlowError` `bad_options` for parameters that cannot be copied, `bad_flow` when the function gives no flow.
   */
  flow(...[params]: [P] extends [undefined] ? readonly [params?: undefined] : readonly [params: P]): AnyFlow<T> {
    // It is left out where its type is `undefined`.
    return this.bound(params as P)
  }

  /** @internal */
  bound(params: P): AnyFlow<T> {
    const cloned = clonedParameters(params)
    const { url, place } = this
    return step({ ...this.definition(cloned), origin: { url, place, params: cloned, bundled: this.#bundled } })
  }

  /** @internal What the function of the module makes of parameters. */
  definition(params: P): StepDefinition {
    const flow: unknown = this.#factory(params)
    if (flow instanceof AnyFlow) return definitionOf(flow)
    throw new FlowError(
      'bad_flow',
      `the function given to defineFlow in ${this.url} returned ${show(flow)}, not a flow`,
    )
  }
}

/** The flows of the modules that this thread has loaded, in the order in which each module defines them. */
const loaded = new Map<string, FlowModule<never, unknown>[]>()

/** A flow of a module that this thread has loaded. */
export function loadedModule(url: string, place: number): FlowModule<unknown, unknown> | undefined {
  // What its parameters are only the module knows, and those that come are what it was given elsewhere.
  return loaded.get(url)?.[place] as FlowModule<unknown, unknown> | undefined
}

/**
 * Defines a flow that can run in worker threads: a function of parameters, in a module, at its top level. Whoever runs it names the
 * flow and its parameters; each worker loads the module and calls the function itself, so that imports, classes and constants of the
 * module work as everywhere. Only the parameters travel: plain data, which arrives as a copy.
 *
 * @example
 * ```ts
 * // word-count.ts
 * import { defineFlow, Flow, files } from 'sluice/flow'
 *
 * export const wordCount = defineFlow(import.meta, ({ path }: { path: string }) =>
 *   Flow.from(files.lines(path))
 *     .flatMap((line) => line.split(' '))
 *     .partition({ stages: 2 })
 *     .reduce(() => new Map<string, number>(), (word, counts) => counts.set(word, (counts.get(word) ?? 0) + 1)),
 * )
 * ```
 * @param meta `import.meta` of the module.
 * @throws `FlowError` `bad_options`.
 */
export function defineFlow<T>(meta: ModuleMeta, factory: () => AnyFlow<T>): FlowModule<undefined, T>
export function defineFlow<P, T>(meta: ModuleMeta, factory: (params: P) => AnyFlow<T>): FlowModule<P, T>
export function defineFlow<P, T>(meta: ModuleMeta, factory: (params: P) => AnyFlow<T>): FlowModule<P, T> {
  if (typeof Object(meta).url !== 'string') {
    throw new FlowError('bad_options', `defineFlow: expected import.meta of the module first, got ${show(meta)}`)
  }
  checkFunction('defineFlow', factory)
  const others = loaded.get(meta.url) ?? []
  const module = new FlowModule<P, T>(meta, others.length, factory)
  loaded.set(meta.url, [...others, module])
  return module
}
