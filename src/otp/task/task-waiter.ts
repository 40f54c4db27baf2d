/** Those who wait for a task, each with a deadline: a chain, first come, first served. */

import type { DeadlineList, Expiring } from '../../process/deadlines.ts'

export class Waiter implements Expiring {
  previousDeadline: Expiring | undefined = undefined
  nextDeadline: Expiring | undefined = undefined
  deadlineList: DeadlineList | undefined = undefined
  deadline = 0
  next: Waiter | undefined = undefined
  /** Called when the task has ended, or the time is over; `undefined` when it waits no more. */
  heard: (() => void) | undefined

  constructor(heard: () => void) {
    this.heard = heard
  }

  settle(): void {
    const { heard } = this
    this.heard = undefined
    heard?.()
  }

  expire(): void {
    this.settle()
  }
}

/** Adds a waiter to the end of a chain, whose first it returns; those who wait no more leave it. */
export function addWaiter(first: Waiter | undefined, added: Waiter): Waiter {
  const head = firstWaiting(first)
  if (head === undefined) return added
  let last = head
  for (let next = firstWaiting(last.next); next !== undefined; next = firstWaiting(next.next)) {
    last.next = next
    last = next
  }
  last.next = added
  return head
}

/** The first of a chain who still waits. */
export function firstWaiting(first: Waiter | undefined): Waiter | undefined {
  let waiter = first
  while (waiter !== undefined && waiter.heard === undefined) waiter = waiter.next
  return waiter
}
