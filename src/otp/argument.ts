/**
 * The argument of a process. It outlives the process, for the restart, so it must not change: plain objects and arrays are
 * copied and the copy is frozen. Freezing the caller's own would bite elsewhere; sharing it would carry state over a restart.
 */

import { type Class, Name } from '../process/name.ts'
import { ProcessRef } from '../process/ref.ts'

/** A value made anew at every start. */
class Fresh<T> {
  readonly make: () => T

  constructor(make: () => T) {
    this.make = make
  }
}

/** Makes a part of an argument anew at every start: `child(Cache, { arg: { entries: fresh(() => new Map()) } })`. */
export function fresh<T>(make: () => T): T {
  // To the compiler it is the value, because that is what the constructor gets.
  return new Fresh(make) as T
}

/** Classes of ours whose instances do not change. */
const immutable: Class[] = [Fresh, Name, ProcessRef]
const reported = new Set<string>()

/** Declares that instances of a class do not change, so that an argument may hold them. */
export function declareImmutable(type: Class): void {
  immutable.push(type)
}

/** A frozen copy, as far as the argument is plain objects and arrays. */
export function ownArgument(argument: unknown): unknown {
  return isPrimitive(argument) ? argument : copy(argument, new Map())
}

/** What the constructor gets: the argument with its `fresh` parts made. */
export function freshArgument(argument: unknown): unknown {
  if (isPrimitive(argument) || !containsFresh(argument, new Set())) return argument
  return makeFresh(argument)
}

function isPrimitive(value: unknown): boolean {
  return typeof value !== 'object' || value === null
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return Array.isArray(value) || prototype === Object.prototype || prototype === null
}

function copy(value: unknown, seen: Map<object, object>): unknown {
  if (typeof value !== 'object' || value === null) return value
  const known = seen.get(value)
  if (known !== undefined) return known
  if (!isPlain(value)) {
    reportShared(value)
    return value
  }
  const own: object = Array.isArray(value) ? [] : Object.create(Object.getPrototypeOf(value))
  seen.set(value, own)
  for (const [key, part] of Object.entries(value)) Reflect.set(own, key, copy(part, seen))
  return Object.freeze(own)
}

function containsFresh(value: unknown, seen: Set<object>): boolean {
  if (value instanceof Fresh) return true
  if (typeof value !== 'object' || value === null || !isPlain(value) || seen.has(value)) return false
  seen.add(value)
  return Object.values(value).some((part) => containsFresh(part, seen))
}

function makeFresh(value: unknown): unknown {
  if (value instanceof Fresh) return value.make()
  if (typeof value !== 'object' || value === null || !isPlain(value)) return value
  if (Array.isArray(value)) return value.map(makeFresh)
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, makeFresh(part)]))
}

function reportShared(value: object): void {
  if (process.env['NODE_ENV'] === 'production') return
  if (immutable.some((type) => value instanceof type)) return
  const kind = value.constructor?.name ?? 'object'
  if (reported.has(kind)) return
  reported.add(kind)
  process.emitWarning(
    `an argument holds a ${kind}, which is passed as it is: its state survives a restart. Make it in the constructor, or give fresh(() => new ${kind}(...)).`,
    { type: 'SluiceWarning', code: 'SLUICE_SHARED_ARGUMENT' },
  )
}
