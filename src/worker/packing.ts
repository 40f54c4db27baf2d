/**
 * Frames that cannot be cloned as they are: refs and errors are taken out and put back on the other side, and what cannot
 * be sent at all is named with the path to it. The usual frame never comes here; it is posted as it is.
 */

import { ProcessRef } from '../process/ref.ts'
import { WorkerError } from './errors.ts'
import type { Frame, Parcel, Patch, WireRef } from './wire.ts'
import { isCloneable, receivedError, sendableError } from './wire-error.ts'

type Path = readonly (string | number)[]

/** Turns refs into what can be sent. */
export type SendRef = (ref: ProcessRef) => WireRef
/** Makes refs of what was sent. */
export type ReceiveRef = (ref: WireRef) => unknown

/**
 * Takes out of a frame what cannot be cloned.
 *
 * @throws `WorkerError` `not_cloneable`, which names the path to it.
 */
export function pack(frame: Frame, sendRef: SendRef): Parcel {
  const patches: Patch[] = []
  const packed = copyPart(frame, [], { patches, sendRef, seen: new Map(), title: titleOf(frame) })
  return ['patched', packed, patches]
}

/** Puts back what `pack` took out. */
export function unpack(frame: Frame, patches: readonly Patch[], receiveRef: ReceiveRef): Frame {
  for (const { path, ref, error } of patches) {
    const value = ref !== undefined ? receiveRef(ref) : error && receivedError(error)
    let holder: unknown = frame
    for (const step of path.slice(0, -1)) holder = typeof holder === 'object' && holder && Reflect.get(holder, step)
    const last = path.at(-1)
    if (typeof holder === 'object' && holder !== null && last !== undefined) Reflect.set(holder, last, value)
  }
  return frame
}

interface Packing {
  readonly patches: Patch[]
  readonly sendRef: SendRef
  readonly seen: Map<object, object>
  readonly title: string
}

/** A copy of plain objects and arrays; what is taken out leaves a hole. */
function copyPart<T>(value: T, path: Path, packing: Packing): T
function copyPart(value: unknown, path: Path, packing: Packing): unknown {
  if (typeof value !== 'object' || value === null) {
    if (typeof value === 'function' || typeof value === 'symbol') throw notCloneable(value, path, packing)
    return value
  }
  if (value instanceof ProcessRef) {
    packing.patches.push({ path, ref: packing.sendRef(value) })
    return undefined
  }
  if (value instanceof Error) {
    packing.patches.push({ path, error: sendableError(value) })
    return undefined
  }
  const known = packing.seen.get(value)
  if (known !== undefined) return known
  if (!isPlain(value)) {
    if (isCloneable(value) || isPort(value)) return value
    throw notCloneable(value, path, packing)
  }
  const copy: object = Array.isArray(value) ? [] : {}
  packing.seen.set(value, copy)
  for (const [key, part] of Object.entries(value)) {
    const step = Array.isArray(value) ? Number(key) : key
    Reflect.set(copy, step, copyPart(part, [...path, step], packing))
  }
  return copy
}

/** A port is not cloned, it moves. */
function isPort(value: object): boolean {
  return value instanceof MessagePort
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return Array.isArray(value) || prototype === Object.prototype || prototype === null
}

/** What the parts of a frame are called that users have given. */
function titleOf(frame: Frame): string {
  switch (frame[0]) {
    case 'cast':
      return `the arguments of ${frame[2]}()`
    case 'call':
      return `the arguments of ${frame[3]}()`
    case 'send':
      return 'the message'
    case 'reply':
      return 'the reply'
    case 'events':
      return 'the events'
    case 'subscribe':
      return 'the options of the subscription'
    default:
      return 'the frame'
  }
}

function notCloneable(value: unknown, path: Path, { title }: Packing): WorkerError {
  // The first step is the place in the frame.
  return cannotBeSent(title, path.slice(1), value)
}

/** What cannot be sent, and where it stands. */
function cannotBeSent(title: string, path: Path, value: unknown): WorkerError {
  const steps = path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`)).join('')
  const what = steps === '' ? title : `${steps.replace(/^\./, '')} in ${title}`
  const text = `${what} is ${kindOf(value)}, which cannot be sent to another thread: send plain data, typed arrays or refs; functions stay in the module that the worker loads`
  return new WorkerError('not_cloneable', text)
}

function kindOf(value: unknown): string {
  if (typeof value === 'function') return `the function ${value.name || '(anonymous)'}`
  if (typeof value === 'object' && value !== null) return `a ${value.constructor?.name ?? 'object'}`
  return `the ${typeof value} ${String(value)}`
}

/**
 * Checks an argument of a process: beside what can be sent, it refuses objects of classes, which would arrive without their
 * methods.
 *
 * @throws `WorkerError` `not_cloneable`, which names the path to it.
 */
export function checkArgument(title: string, argument: unknown): void {
  const seen = new Set<object>()
  const check = (value: unknown, path: Path): void => {
    if (typeof value !== 'object' || value === null) {
      if (typeof value === 'function' || typeof value === 'symbol') throw cannotBeSent(title, path, value)
      return
    }
    if (value instanceof ProcessRef || value instanceof Error || seen.has(value)) return
    seen.add(value)
    if (!isPlain(value)) {
      if (!isBuiltIn(value) || !isCloneable(value)) throw cannotBeSent(title, path, value)
      return
    }
    for (const [key, part] of Object.entries(value)) check(part, [...path, Array.isArray(value) ? Number(key) : key])
  }
  check(argument, [])
}

/** Its class comes with the language or with Node, so it is the same one on the other side. */
function isBuiltIn(value: object): boolean {
  const name = value.constructor?.name
  return name !== undefined && Reflect.get(globalThis, name) === value.constructor
}
