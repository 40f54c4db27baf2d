/**
 * The typed `call` and `cast` of a ref. They are generated once per class from its prototype chain, down to the base class
 * that is ours: no Proxy, no decorators, no names as strings.
 */

import { call } from './call.ts'
import { CallError, ProcessError } from './errors.ts'
import { CAST, CAST_ONE, type Method, Tag } from './message.ts'
import type { Class } from './name.ts'
import type { Process } from './process.ts'

/** Whoever a stub can reach: a ref, or a name that finds its holder at every use. */
export interface Target {
  /** The process behind it now. */
  holder(): Process | undefined
  toString(): string
}

/** Static options of a class of processes. */
export interface ClassOptions {
  readonly childType: 'worker' | 'supervisor'
  readonly callTimeout: number
  readonly stopTimeout: number
}

/** What a ref needs to know of a class. */
export interface Stubs extends ClassOptions {
  readonly Calls: new (target: Target, timeout: number, signal: AbortSignal | undefined) => object
  readonly Casts: new (target: Target) => object
  /** The public methods that are messages, by name. */
  readonly messages: ReadonlyMap<string, Method>
}

const bases = new WeakSet<object>()
const generated = new WeakMap<object, Stubs>()

/** Declares a class to be one of ours: its members, and those below it, are no messages. */
export function declareBase(base: Class): void {
  bases.add(base.prototype)
}

/** The prototypes of a class from itself down to, without, our base; our base last. */
export function lineage(type: Class): { readonly own: readonly object[]; readonly base: object | undefined } {
  const own: object[] = []
  // What is no class, such as an arrow function or the undefined of a circular import, has no prototype.
  let prototype: object | null | undefined = type?.prototype
  while (prototype !== null && prototype !== undefined && prototype !== Object.prototype) {
    if (bases.has(prototype)) return { own, base: prototype }
    own.push(prototype)
    prototype = Object.getPrototypeOf(prototype)
  }
  return { own, base: undefined }
}

/** The stubs of a class, made at its first use. */
export function stubsOf(type: Class & Partial<ClassOptions>): Stubs {
  const known = generated.get(type)
  if (known !== undefined) return known
  const { own, base } = lineage(type)
  const messages = new Map<string, Method>()
  for (const prototype of own) {
    for (const [key, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
      // Callbacks that the base only declares are not on its prototype.
      const isMessage =
        key !== 'constructor' &&
        !/^handle(?![a-z])/.test(key) &&
        !messages.has(key) &&
        !(base !== undefined && key in base)
      if (isMessage && typeof descriptor.value === 'function') messages.set(key, descriptor.value)
    }
  }
  const { childType = 'worker', callTimeout = 5000, stopTimeout = 5000 } = type
  const stubs = { ...generate(messages), messages, childType, callTimeout, stopTimeout }
  generated.set(type, stubs)
  return stubs
}

/** Stubs for a class of which only the names of its messages are known: it is in another thread. */
export function stubsByName(names: readonly string[], { childType, callTimeout, stopTimeout }: ClassOptions): Stubs {
  const messages = new Map<string, Method>()
  for (const name of names) {
    const elsewhere: Record<string, Method> = {
      [name]() {
        throw new ProcessError('not_a_message', `${name} runs in another thread`)
      },
    }
    const method = elsewhere[name]
    if (method !== undefined) messages.set(name, method)
  }
  return { ...generate(messages), messages, childType, callTimeout, stopTimeout }
}

/** What a class that only stands for another one calls and casts with. */
export function useStubs(type: Class, stubs: Stubs): void {
  generated.set(type, stubs)
}

class CallStub {
  readonly target: Target
  readonly timeout: number
  readonly signal: AbortSignal | undefined

  constructor(target: Target, timeout: number, signal: AbortSignal | undefined) {
    this.target = target
    this.timeout = timeout
    this.signal = signal
  }
}

class CastStub {
  readonly target: Target

  constructor(target: Target) {
    this.target = target
  }
}

function generate(messages: ReadonlyMap<string, Method>): Pick<Stubs, 'Calls' | 'Casts'> {
  const Calls = class extends CallStub {}
  const Casts = class extends CastStub {}
  for (const [key, method] of messages) {
    define(Calls.prototype, key, function (this: CallStub, ...args: readonly unknown[]) {
      const process = this.target.holder()
      if (process === undefined) return Promise.reject(nobody(this.target, key))
      return call(process, key, method, args, this.timeout, this.signal)
    })
    const cast = new Tag(CAST, method)
    const castOne = new Tag(CAST_ONE, method)
    // Most casts have one argument, which then needs no array.
    define(Casts.prototype, key, function (this: CastStub, ...args: readonly unknown[]) {
      const process = this.target.holder()
      if (args.length === 1) process?.deliver(castOne, args[0])
      else process?.deliver(cast, args)
    })
  }
  return { Calls, Casts }
}

function define(prototype: object, key: string, value: unknown): void {
  Object.defineProperty(prototype, key, { value, configurable: true })
}

function nobody(target: Target, method: string): CallError {
  const text = `call ${method}() to ${target} got no reply: no process bears that name`
  return new CallError('noproc', String(target), method, text, { reason: 'noproc' })
}

/** Makes the stubs of an instance's function-valued fields throw: they would run outside of the process. */
export function refuseFields(stubs: Stubs, typeName: string, instance: object): void {
  for (const key of Object.keys(instance)) {
    const value: unknown = Reflect.get(instance, key)
    if (typeof value !== 'function' || stubs.messages.has(key) || key in stubs.Calls.prototype) continue
    const refuse = (): never => {
      const text = `${typeName}.${key} is a field that holds a function, not a message; declare it as a method: ${key}(...) { ... }`
      throw new ProcessError('not_a_message', text)
    }
    define(stubs.Calls.prototype, key, refuse)
    define(stubs.Casts.prototype, key, refuse)
  }
}
