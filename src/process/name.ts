/**
 * Names: what a process can be found by. They are typed, so what is found is typed too. The kernel has one kind, its class or
 * `name(Class, id)`; layers above may add others, such as a key in a registry.
 */

import { type CallOptions, checkTimeout } from './call.ts'
import { ProcessError } from './errors.ts'
import type { Process } from './process.ts'
import { type Calls, type CallsWith, type Casts, processOf, type Ref, typedRef } from './ref.ts'
import { currentRuntime, type Runtime } from './runtime.ts'
import { stubsOf, type Target } from './stubs.ts'

/** A class of processes, concrete or not. */
export type Class<T = unknown> = abstract new (...args: never[]) => T

/**
 * The name of a process, made by `name`, or by `via` as a key in a registry. It finds its holder anew at every use, so it
 * stays good when a supervisor has put another process in the place of a dead one.
 */
export abstract class Name<T = unknown> implements Target {
  /** The type of the process that bears the name; exists for the compiler only. */
  declare readonly $names?: T | undefined
  readonly type: Class<T>

  constructor(type: Class<T>) {
    this.type = type
  }

  /** The process that bears it now. */
  abstract holder(runtime?: Runtime): Process | undefined
  /**
   * Makes a process its bearer, until the process ends; called by `Runtime.register` only.
   *
   * @throws when somebody else bears it.
   */
  abstract take(process: Process): void
  /** The process that bore it is dead. */
  abstract release(process: Process): void
  abstract toString(): string

  /** Calls whoever bears the name now; nobody: `CallError` `noproc`. */
  get call(): Calls<T> {
    return this.with({}).call
  }

  /** Casts to whoever bears the name now; nobody: dropped. */
  get cast(): Casts<T> {
    const { Casts } = stubsOf(this.type)
    return new Casts(this) as Casts<T>
  }

  /** Calls with another timeout (milliseconds) or with a signal to give up. */
  with(options: CallOptions): CallsWith<T> {
    const { Calls, callTimeout } = stubsOf(this.type)
    return { call: new Calls(this, checkTimeout(options.timeout) ?? callTimeout, options.signal) as Calls<T> }
  }

  /**
   * Sends any value to whoever bears the name now.
   *
   * @throws `ProcessError` `noproc` when nobody does.
   */
  send(message: unknown): void {
    const holder = this.holder()
    if (holder === undefined)
      throw new ProcessError('noproc', `nobody bears the name ${this}, the message was not sent`)
    holder.ref.send(message)
  }
}

/** A class, or one of several names of a class: what `name` makes. */
class ClassName<T> extends Name<T> {
  readonly id: string | undefined

  constructor(type: Class<T>, id: string | undefined) {
    super(type)
    this.id = id
  }

  holder(runtime: Runtime = currentRuntime()): Process | undefined {
    return runtime.names.get(this)
  }

  take(process: Process): void {
    const { names } = process.runtime
    const holder = names.get(this)
    if (holder !== undefined) throw new ProcessError('name_taken', `the name ${this} is taken by ${holder}`)
    names.set(this, process)
  }

  release(process: Process): void {
    process.runtime.names.delete(this)
  }

  toString(): string {
    return this.id === undefined ? this.type.name : `${this.type.name}(${this.id})`
  }
}

const names = new WeakMap<Class, Map<string | undefined, Name>>()

/**
 * The name of a process of a class: with an `id` one of several, without it the class itself. The same arguments give the
 * same name.
 *
 * @throws `ProcessError` `bad_name` when it is given no class, or an id that is no string.
 */
export function name<T>(type: Class<T>, id?: string): Name<T> {
  if (typeof type !== 'function') throw badName(type)
  if (id !== undefined && typeof id !== 'string') throw badName(id)
  let ofClass = names.get(type)
  if (ofClass === undefined) {
    ofClass = new Map()
    names.set(type, ofClass)
  }
  let found = ofClass.get(id)
  if (found === undefined) {
    found = new ClassName(type, id)
    ofClass.set(id, found)
  }
  return found as Name<T>
}

/** The `Name` behind what may be given as a name. */
export function asName<T>(given: Class<T> | Name<T>): Name<T> {
  if (!isName(given)) throw badName(given)
  return given instanceof Name ? given : name(given)
}

/** A name stands where a ref could stand as well. */
export function isName<T>(target: object | Class<T> | Name<T>): target is Class<T> | Name<T> {
  return typeof target === 'function' || target instanceof Name
}

/** The process that a ref or a name stands for now. */
export function holderOf(runtime: Runtime, target: Ref | Class | Name): Process | undefined {
  return isName(target) ? asName(target).holder(runtime) : processOf(target)
}

/** The process that bears a name now, or `undefined`. */
export function whereis<T>(given: Class<T> | Name<T>): Ref<T> | undefined {
  const holder = asName(given).holder()
  return holder && typedRef(holder.ref)
}

function badName(given: unknown): ProcessError {
  return new ProcessError(
    'bad_name',
    `expected a class or name(Class, 'id') as the name of a process, got ${String(given)}`,
  )
}
