/** What it means when a server refuses a command, where that is not about the command. */

import { RedisRefusal } from '../client/port.ts'

/** A server that does not take what the one does that we want: it is a replica, or not ready yet. */
export class WrongServer extends Error {
  constructor(refusal: RedisRefusal) {
    super(refusal.message, { cause: refusal })
    this.name = 'WrongServer'
  }
}

/** A script of an older server says so behind some words of its own; who waits at a server that becomes a replica is woken up. */
const WRONG_SERVER = /^(READONLY|LOADING|MASTERDOWN|UNBLOCKED.*instance state changed|ERR .*-READONLY)/
const CLUSTER = /^(MOVED|ASK|CROSSSLOT) /

export function understood(error: unknown): unknown {
  if (!(error instanceof RedisRefusal)) return error
  if (WRONG_SERVER.test(error.message)) return new WrongServer(error)
  if (!CLUSTER.test(error.message)) return error
  const why =
    'a Redis Cluster keeps keys on several servers; give the URL of the one with all keys of this source or publisher'
  return new RedisRefusal(`${error.message} (${why}, which have the same {tag} in their names)`, error)
}
