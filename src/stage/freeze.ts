/**
 * Freezes events deeply, in development, so that a consumer that changes what others share fails at once. What has a life of
 * its own, such as a socket or a stream, is left alone: frozen it could not live on.
 */

import { EventEmitter } from 'node:events'

const freezers = new Map<unknown, (value: never) => void>()

/** Says what to freeze of the instances of a class of ours, of which not everything is data. */
export function declareFreezer<T>(type: new (...args: never[]) => T, freeze: (value: T) => void): void {
  freezers.set(type.prototype, freeze)
}

export function deepFreeze(value: unknown): void {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value) || ArrayBuffer.isView(value)) return
  if (value instanceof EventEmitter || value instanceof EventTarget) return
  const freezer = freezers.get(Object.getPrototypeOf(value))
  if (freezer !== undefined) return freezer(value as never)
  Object.freeze(value)
  for (const part of Object.values(value)) deepFreeze(part)
}
