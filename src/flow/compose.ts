/**
 * Makes one function of the operations of a step. Each operation becomes a function that is given the next one, so that an event
 * goes through all of them before the following event begins, and nothing is made on its way. A result is awaited only when it
 * is a promise; until then `undefined` says that the event has gone through.
 */

import { isPromise } from '../otp/server-behaviour.ts'
import { show } from '../stage/show.ts'
import { FlowError } from './errors.ts'
import { Keys } from './keys.ts'
import type { FlowStage, MapOperation, Operation, UniqOperation } from './operation.ts'

/** Takes one event; a promise when it is not through on return. */
export type Push = (event: unknown) => void | PromiseLike<void>

/** Takes events, one after another; a promise when they are not through on return. */
export type Feed = (events: readonly unknown[]) => void | PromiseLike<void>

/** The operations that one event after another goes through, composed. The seen-sets of `uniq` are new. */
export function compose(operations: readonly Operation[], stage: FlowStage, last: Push): Push {
  return operations.reduceRight<Push>((next, operation) => {
    switch (operation.kind) {
      case 'map':
        return mapped(operation, stage, next)
      case 'filter':
        return kept(operation, true, stage, next)
      case 'reject':
        return kept(operation, false, stage, next)
      case 'flatMap':
        return spread(operation, stage, (events) => pushAll(next, events))
      case 'uniq':
      case 'uniqBy':
        return unique(operation, next)
      default:
        return next
    }
  }, last)
}

/** Gives events to a function, one after another. */
export function pushAll(push: Push, events: readonly unknown[]): void | PromiseLike<void> {
  for (let index = 0; index < events.length; index++) {
    const pending = push(events[index])
    if (pending !== undefined) return pushRest(push, events, index + 1, pending)
  }
}

/** The same from one of them on, behind what is waited for. */
export async function pushRest(push: Push, events: readonly unknown[], from: number, pending: unknown): Promise<void> {
  await pending
  for (let index = from; index < events.length; index++) {
    const next = push(events[index])
    if (next !== undefined) await next
  }
}

function mapped({ run }: MapOperation, stage: FlowStage, next: Push): Push {
  return (event) => {
    const result = run(event, stage)
    return isPromise(result) ? result.then(next) : next(result)
  }
}

function kept({ run }: MapOperation, wanted: boolean, stage: FlowStage, next: Push): Push {
  return (event) => {
    const result = run(event, stage)
    if (isPromise(result)) return result.then((later) => (Boolean(later) === wanted ? next(event) : undefined))
    return Boolean(result) === wanted ? next(event) : undefined
  }
}

/** What `flatMap` does; `feed` takes the events that one has become. */
export function spread({ run }: MapOperation, stage: FlowStage, feed: Feed): Push {
  return (event) => {
    const result = run(event, stage)
    return isPromise(result) ? result.then((later) => feedMany(later, feed)) : feedMany(result, feed)
  }
}

function feedMany(result: unknown, feed: Feed): void | PromiseLike<void> {
  if (Array.isArray(result)) return feed(result)
  if (isIterable(result)) return feed([...result])
  throw new FlowError('bad_return', `a function given to flatMap returned ${show(result)}, expected an iterable`)
}

/** It gives one element after another, and is no text. */
export function isIterable(value: unknown): value is Iterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.iterator in value
}

function unique({ key }: UniqOperation, next: Push): Push {
  const seen = new Set<unknown>()
  const keys = new Keys()
  return (event) => {
    const own = keys.of(key(event))
    if (seen.has(own)) return undefined
    seen.add(own)
    return next(event)
  }
}
