/**
 * The entries of a registry. Whoever has one is linked to the registry's process: the end of the registry reaches all of
 * them, the end of one of them removes its entries at once.
 */

import { inspect } from 'node:util'
import { ProcessError } from '../../process/errors.ts'
import { INFO } from '../../process/message.ts'
import { type Class, holderOf, type Name } from '../../process/name.ts'
import type { Process } from '../../process/process.ts'
import type { Ref } from '../../process/ref.ts'
import { RegistryError } from '../errors.ts'
import { Registered, Unregistered } from './registry-messages.ts'

export interface Entry<K, V> {
  readonly key: K
  readonly process: Process
  value: V
}

/** The entries of one process, and what is called when it ends. */
interface Member<K, V> {
  readonly entries: Set<Entry<K, V>>
  readonly ended: () => void
}

export class RegistryTable<K, V> {
  readonly #process: Process
  readonly #unique: boolean
  readonly #listeners: readonly (Ref | Class | Name)[]
  readonly #byKey = new Map<K, Set<Entry<K, V>>>()
  readonly #members = new Map<Process, Member<K, V>>()
  #size = 0

  constructor(process: Process, unique: boolean, listeners: readonly (Ref | Class | Name)[]) {
    this.#process = process
    this.#unique = unique
    this.#listeners = listeners
    process.onEnd(() => this.#close())
  }

  get size(): number {
    return this.#size
  }

  // ---- Reading

  /** The entries of a key, oldest first. Those of the dead are gone, even where their end is still being told. */
  of(key: K): readonly Entry<K, V>[] {
    return Array.from(this.#byKey.get(key) ?? []).filter(isAlive)
  }

  /** The entries of a process, oldest first. */
  ofProcess(process: Process): readonly Entry<K, V>[] {
    return Array.from(this.#members.get(process)?.entries ?? []).filter(isAlive)
  }

  all(): readonly Entry<K, V>[] {
    return Array.from(this.#byKey.values()).flatMap((entries) => Array.from(entries).filter(isAlive))
  }

  // ---- Writing

  /** @throws `RegistryError` `already_registered` when keys are unique and a living process has it. */
  add(process: Process, key: K, value: V): void {
    if (!process.alive) {
      throw new ProcessError('bad_argument', `${process} has ended, it cannot be registered in ${this.#process}`)
    }
    if (this.#unique) {
      const [holder] = this.of(key)
      if (holder !== undefined) throw alreadyRegistered(this.#process, key, holder.process)
    }
    const entry: Entry<K, V> = { key, process, value }
    const ofKey = this.#byKey.get(key)
    if (ofKey === undefined) this.#byKey.set(key, new Set([entry]))
    else ofKey.add(entry)
    this.#member(process).entries.add(entry)
    this.#size++
    if (this.#listeners.length > 0) this.#tell(new Registered(this.#process.ref, key, process.ref, value))
  }

  /** Removes entries of one process with one key; tells the listeners when none is left. */
  remove(process: Process, key: K, chosen: readonly Entry<K, V>[]): void {
    const member = this.#members.get(process)
    for (const entry of chosen) this.#drop(entry, member)
    if (member?.entries.size === 0) this.#release(process, member)
    const left = this.ofProcess(process).some((entry) => this.#byKey.get(key)?.has(entry))
    if (!left && this.#listeners.length > 0) this.#tell(new Unregistered(this.#process.ref, key, process.ref))
  }

  /** The process has ended: its entries go, and nobody is told. */
  forget(process: Process): void {
    const member = this.#members.get(process)
    if (member === undefined) return
    for (const entry of member.entries) this.#drop(entry, member)
    this.#members.delete(process)
  }

  #drop(entry: Entry<K, V>, member: Member<K, V> | undefined): void {
    member?.entries.delete(entry)
    const ofKey = this.#byKey.get(entry.key)
    if (ofKey?.delete(entry) !== true) return
    this.#size--
    if (ofKey.size === 0) this.#byKey.delete(entry.key)
  }

  // ---- Members

  #member(process: Process): Member<K, V> {
    const known = this.#members.get(process)
    if (known !== undefined) return known
    const member: Member<K, V> = { entries: new Set(), ended: () => this.forget(process) }
    this.#members.set(process, member)
    process.link(this.#process)
    process.onEnd(member.ended)
    return member
  }

  #release(process: Process, member: Member<K, V>): void {
    this.#members.delete(process)
    process.offEnd(member.ended)
    // Who started the registry is linked to it for that reason too.
    if (process !== this.#process.parent) process.unlink(this.#process)
  }

  #close(): void {
    for (const [process, member] of this.#members) process.offEnd(member.ended)
    this.#members.clear()
    this.#byKey.clear()
    this.#size = 0
  }

  #tell(message: unknown): void {
    for (const listener of this.#listeners) holderOf(this.#process.runtime, listener)?.deliver(INFO, message)
  }
}

/** A key, for texts. */
export function describeKey(key: unknown): string {
  return inspect(key, { depth: 1, breakLength: Infinity })
}

function isAlive({ process }: Entry<unknown, unknown>): boolean {
  return process.alive
}

function alreadyRegistered(registry: Process, key: unknown, holder: Process): RegistryError {
  const text = `the key ${describeKey(key)} of ${registry} is taken by ${holder}`
  return new RegistryError('already_registered', text, holder.ref)
}
