/**
 * The argument of a process. It outlives the process, for the restart, so it must not change: plain objects and arrays are
 * copied and the copy is frozen. Freezing the caller's own would bite elsewhere; sharing it would carry state over a restart.
 * Typed arrays and buffers cannot be frozen: they are copied, and copied again for each start.
 */

import { type Class, Name } from '../process/name.ts'
import { ProcessRef } from '../process/ref.ts'
import { copyMemory, isMemory, isSharedMemory } from './memory.ts'

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

/** What the constructor gets: the argument with its `fresh` parts made, and its memory copied. */
export function freshArgument(argument: unknown): unknown {
  if (isPrimitive(argument) || !containsFresh(argument, new Set())) return argument
  return makeFresh(argument, new Map())
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
  if (isMemory(value)) {
    const own = copyMemory(value)
    if (typeof own === 'object' && own !== null) seen.set(value, own)
    return own
  }
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
  if (typeof value !== 'object' || value === null) return false
  if (isMemory(value)) return true
  if (!isPlain(value) || seen.has(value)) return false
  seen.add(value)
  return Object.values(value).some((part) => containsFresh(part, seen))
}

function makeFresh(value: unknown, made: Map<object, object>): unknown {
  if (value instanceof Fresh) return value.make()
  if (typeof value !== 'object' || value === null) return value
  if (isMemory(value)) return copyMemory(value)
  if (!isPlain(value)) return value
  const known = made.get(value)
  if (known !== undefined) return known
  const own: object = Array.isArray(value) ? [] : Object.create(Object.getPrototypeOf(value))
  made.set(value, own)
  for (const [key, part] of Object.entries(value)) Reflect.set(own, key, makeFresh(part, made))
  return own
}

function reportShared(value: object): void {
  if (process.env['NODE_ENV'] === 'production') return
  if (isSharedMemory(value) || immutable.some((type) => value instanceof type)) return
  const kind = value.constructor?.name ?? 'object'
  if (reported.has(kind)) return
  reported.add(kind)
  process.emitWarning(
    `an argument holds a ${kind}, which is passed as it is: its state survives a restart. Make it in the constructor, or give fresh(() => new ${kind}(...)).`,
    { type: 'SluiceWarning', code: 'SLUICE_SHARED_ARGUMENT' },
  )
}
