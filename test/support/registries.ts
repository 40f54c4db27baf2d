/** Registries and what is registered in them, for tests. */

import { type ExitReason, GenServer, type Ref, Registry, start } from 'sluice'
import { processOf } from '../../src/process/ref.ts'

export interface Job {
  readonly type: string
  readonly size?: number
}

export class Jobs extends Registry<unknown, Job> {
  constructor() {
    super({ keys: 'unique', meta: { since: 1986 } })
  }
}

/** Keys with any number of entries. */
export class Topics extends Registry<unknown, unknown> {
  constructor(arg: { readonly partitions?: number; readonly listeners?: readonly Ref[] } = {}) {
    super({ keys: 'duplicate', ...arg })
  }
}

/** Somebody to be registered; registers itself when told. */
export class Member extends GenServer {
  join(key: unknown, value: unknown) {
    Registry.register(Topics, this, key, value)
  }
  crash(reason: string) {
    throw new Error(reason)
  }
  leave(reason: ExitReason) {
    this.stop(reason)
  }
}

export const member = (): Promise<Ref<Member>> => start(Member)

/** Whom a process is linked to. */
export function linksOf(ref: Ref): readonly Ref[] {
  return processOf(ref).links.map((peer) => peer.ref)
}
