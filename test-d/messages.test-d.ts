import {
  type Calls,
  type Casts,
  GenServer,
  type Later,
  type MessageKeys,
  Producer,
  type Ref,
  type Reply,
  type Supervisor,
} from 'sluice'
import { type Equal, expectType, expectValue } from './support.ts'

interface Item {
  readonly id: number
}

class Shelf<T extends Item> extends GenServer {
  readonly size: number = 1
  readonly onFull = (item: T): string => `full at ${item.id}`
  get first(): T | undefined {
    return undefined
  }
  count() {
    return 1
  }
  find(id: number, deep?: boolean): T | undefined {
    return deep ? this.find(id) : undefined
  }
  add(...items: readonly T[]) {
    this.#count += items.length
  }
  async load(path: string) {
    return { path, bytes: 3 }
  }
  slow() {
    return this.later(async () => 'done')
  }
  answered() {
    return this.later<number>()
  }
  async both() {
    return this.later(() => 1n)
  }
  perhaps(now: boolean): string | Later<string> {
    return now ? 'now' : this.later<string>()
  }
  *each(): Generator<T> {}
  async *stream(): AsyncGenerator<T> {}
  protected hidden() {}
  #count = 0
  override handleInfo(_message: unknown) {
    this.hidden()
  }
  override terminate() {}
}

declare const shelf: Ref<Shelf<Item>>

// Calls: the reply is what the method returns; promises and `Later` are unwrapped.
expectValue<Promise<number>>()(shelf.call.count())
expectValue<Promise<Item | undefined>>()(shelf.call.find(1))
expectValue<Promise<Item | undefined>>()(shelf.call.find(1, true))
expectValue<Promise<void>>()(shelf.call.add({ id: 1 }, { id: 2 }))
expectValue<Promise<{ path: string; bytes: number }>>()(shelf.call.load('a'))
expectValue<Promise<string>>()(shelf.call.slow())
expectValue<Promise<number>>()(shelf.call.answered())
expectValue<Promise<bigint>>()(shelf.call.both())
expectValue<Promise<string>>()(shelf.call.perhaps(true))
expectValue<Promise<number>>()(shelf.with({ timeout: 500 }).call.count())
expectValue<Promise<number>>()(shelf.with({ signal: new AbortController().signal }).call.count())

// Generators pass by reference.
expectValue<Promise<Generator<Item>>>()(shelf.call.each())
expectValue<Promise<AsyncGenerator<Item>>>()(shelf.call.stream())

// Casts return nothing, whatever the method does.
expectValue<void>()(shelf.cast.count())
expectValue<void>()(shelf.cast.load('a'))
expectValue<void>()(shelf.cast.slow())
expectType<Equal<Casts<Shelf<Item>>['find'], (id: number, deep?: boolean) => void>>()

// Replies
expectType<Equal<Reply<Promise<string | Later<number>>>, string | number>>()
expectType<Equal<Reply<undefined>, undefined>>()
expectType<Equal<Reply<boolean>, boolean>>()
expectType<Equal<Reply<never>, never>>()

// Messages are the public methods that are not ours. A field that holds a function looks like one to the compiler.
type Methods = 'count' | 'find' | 'add' | 'load' | 'slow' | 'answered' | 'both' | 'perhaps' | 'each' | 'stream'
expectType<Equal<MessageKeys<Shelf<Item>>, Methods | 'onFull'>>()
expectType<Equal<MessageKeys<GenServer>, never>>()
expectType<
  Equal<
    keyof Calls<Supervisor>,
    'startChild' | 'terminateChild' | 'restartChild' | 'deleteChild' | 'whichChildren' | 'countChildren'
  >
>()

// What a subclass inherits from a class of the user is a message too, what it inherits from ours is none.
class Base extends GenServer {
  ping() {
    return 'pong'
  }
}
class Derived extends Base {
  override ping() {
    return 'PONG'
  }
  pong() {}
}
expectType<Equal<MessageKeys<Derived>, 'ping' | 'pong'>>()

class Pages extends Producer<string> {
  override handleDemand(_demand: number) {}
  override handleCancel() {}
  override handleSubscribe() {}
  override formatDiscarded() {
    return false
  }
  scrape(_pages: readonly string[]) {}
}
expectType<Equal<MessageKeys<Pages>, 'scrape'>>()

// A ref whose class is not known has no messages.
declare const unknownRef: Ref
expectType<Equal<keyof (typeof unknownRef)['call'], never>>()

// Whoever knows the class only as a base sees the messages of that base.
export const asBase: Ref<Base> = {} as Ref<Derived>
expectValue<Promise<string>>()(asBase.call.ping())
