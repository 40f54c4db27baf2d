/** The parameters of a flow of a module: what can be sent to another thread and arrives as what it was. */

import { show } from '../../stage/show.ts'
import { FlowError } from '../errors.ts'

/**
 * A copy, as another thread would get it.
 *
 * @throws `FlowError` `bad_options`, which names the place of what cannot be copied: `params.filter.test`.
 */
export function clonedParameters<P>(params: P): P {
  const problem = problemOf(params, 'params', new Set())
  if (problem !== undefined) throw new FlowError('bad_options', problem)
  return structuredClone(params)
}

/** Classes whose instances arrive as what they were. */
const KEPT = [Date, RegExp, ArrayBuffer, SharedArrayBuffer, Error]

/** What is wrong with a value, at the first place where something is. */
function problemOf(value: unknown, path: string, seen: Set<object>): string | undefined {
  if (typeof value === 'function') return refused(path, 'a function', 'define it in the module of the flow')
  if (typeof value === 'symbol') return refused(path, 'a symbol', 'pass a text')
  if (typeof value !== 'object' || value === null || seen.has(value)) return undefined
  seen.add(value)
  if (KEPT.some((kept) => value instanceof kept) || ArrayBuffer.isView(value)) return undefined
  if (Array.isArray(value)) return firstProblem(value, (index) => `${path}[${index}]`, seen)
  if (value instanceof Set) return firstProblem([...value], () => `an element of ${path}`, seen)
  if (value instanceof Map) {
    const keys = firstProblem([...value.keys()], () => `a key of ${path}`, seen)
    const entries = [...value]
    return keys ?? firstProblem([...value.values()], (index) => `${path}.get(${show(entries[index]?.[0])})`, seen)
  }
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== null && prototype !== Object.prototype) {
    return refused(
      path,
      `a ${value.constructor.name}`,
      'pass what it is made of, and make it in the module of the flow',
    )
  }
  const names = Object.keys(value)
  return firstProblem(Object.values(value), (index) => `${path}.${names[index]}`, seen)
}

function firstProblem(
  values: readonly unknown[],
  pathOf: (index: number) => string,
  seen: Set<object>,
): string | undefined {
  for (const [index, value] of values.entries()) {
    const problem = problemOf(value, pathOf(index), seen)
    if (problem !== undefined) return problem
  }
  return undefined
}

function refused(path: string, what: string, instead: string): string {
  return `${path} is ${what}, which cannot be copied to another thread: parameters of a flow are plain data, such as texts, numbers, arrays and objects; ${instead}`
}
