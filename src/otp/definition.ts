/**
 * What a class of processes is, worked out and checked once: its messages, its callbacks, its behaviour. Mistakes that the
 * compiler lets through, such as a misspelt optional callback, are refused at start with the nearest name.
 */

import type { Class } from '../process/name.ts'
import type { Process } from '../process/process.ts'
import type { Runtime } from '../process/runtime.ts'
import { declareBase, lineage, type Stubs, stubsOf } from '../process/stubs.ts'
import { closest } from './closest.ts'
import { StartError } from './errors.ts'
import type { ServerBehaviour } from './server-behaviour.ts'

/** Makes the behaviour of a process of a class. */
export type MakeBehaviour = (process: Process, definition: Definition) => ServerBehaviour

export interface Definition {
  readonly type: Class
  /** The name of the class, which to ask a function for is slow. */
  readonly name: string
  /** Our class that it extends, for what it may not hide. */
  readonly base: object
  readonly stubs: Stubs
  readonly makeBehaviour: MakeBehaviour
  /** Option names beside the common ones that `start` and `child` take for this kind of process. */
  readonly options: readonly string[]
  /** The class has these callbacks of its own, they are not only inherited from our base. */
  readonly hasInit: boolean
  readonly hasTerminate: boolean
  /** Makes the process, where it is no ordinary one. */
  readonly makeProcess?: ((runtime: Runtime, parent: Process | undefined, label: string) => Process) | undefined
}

interface Base {
  readonly type: Class
  readonly makeBehaviour: MakeBehaviour
  readonly options: readonly string[]
  /** The methods of the base that a class may override. */
  readonly callbacks: readonly string[]
}

const bases = new Map<object, Base>()
const definitions = new WeakMap<Class, Definition>()

/** Declares one of our base classes. */
export function defineBase(
  type: Class,
  makeBehaviour: MakeBehaviour,
  extra: { readonly options?: readonly string[]; readonly abstractCallbacks?: readonly string[] } = {},
): void {
  declareBase(type)
  const callbacks = [...(extra.abstractCallbacks ?? [])]
  for (let prototype = type.prototype; prototype !== Object.prototype; prototype = Object.getPrototypeOf(prototype)) {
    callbacks.push(...Object.getOwnPropertyNames(prototype).filter(isCallback))
  }
  bases.set(type.prototype, { type, makeBehaviour, options: extra.options ?? [], callbacks })
}

/** The definition of a class, checked at its first use. */
export function definitionOf(type: Class): Definition {
  const known = definitions.get(type)
  if (known !== undefined) return known
  const { own, base } = lineage(type)
  const declared = base === undefined ? undefined : bases.get(base)
  if (base === undefined || declared === undefined) {
    throw new StartError(
      'bad_class',
      `${nameOf(type)} is no class of processes: extend GenServer, Producer, ProducerConsumer or Consumer`,
    )
  }
  const methods = new Set(own.flatMap((prototype) => Object.getOwnPropertyNames(prototype)))
  methods.delete('constructor')
  for (const method of methods) checkMember(type, method, declared, base)
  const definition: Definition = {
    type,
    name: type.name,
    base,
    stubs: stubsOf(type),
    makeBehaviour: declared.makeBehaviour,
    options: declared.options,
    hasInit: methods.has('init'),
    hasTerminate: methods.has('terminate'),
  }
  definitions.set(type, definition)
  return definition
}

/** Says what a class is that is not to be looked at: it only stands for another one. */
export function defineClass(definition: Definition): void {
  definitions.set(definition.type, definition)
}

/** Refuses fields that hide a member of our base. */
export function checkInstance(definition: Definition, instance: object): void {
  for (const field of Object.keys(instance)) {
    if (field in definition.base) throw reserved(definition.type, field, 'field')
  }
}

function checkMember(type: Class, member: string, base: Base, prototype: object): void {
  if (base.callbacks.includes(member) || member in Object.prototype) return
  if (member in prototype) throw reserved(type, member, 'method')
  const nearest = closest(member, base.callbacks)
  if (/^handle(?![a-z])/.test(member)) {
    const others = [...bases.values()].filter((other) => other.callbacks.includes(member))
    const hint =
      others.length > 0
        ? `it is one of ${others.map((other) => other.type.name).join(', ')}`
        : `did you mean ${nearest.name}? Names that begin with "handle" are kept for callbacks`
    throw new StartError('bad_class', `${nameOf(type)}.${member} is no callback of ${base.type.name}: ${hint}`)
  }
  // Short callbacks such as init are too near to ordinary words.
  if (nearest.distance <= 2 && nearest.name.length > 6) {
    throw new StartError(
      'bad_class',
      `${nameOf(type)}.${member} looks like the callback ${nearest.name} misspelt: correct it, or choose another name`,
    )
  }
}

function isCallback(name: string): boolean {
  return /^(handle[A-Z]\w*|init|terminate|formatDiscarded)$/.test(name)
}

function reserved(type: Class, member: string, kind: string): StartError {
  return new StartError(
    'bad_class',
    `${nameOf(type)}.${member} hides a member of the base class that Sluice needs: give the ${kind} another name`,
  )
}

function nameOf(type: unknown): string {
  return typeof type === 'function' ? type.name : String(type)
}
