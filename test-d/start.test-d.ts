import {
  type Application,
  type ApplicationEnd,
  type ChildSpec,
  type Class,
  child,
  fresh,
  GenServer,
  type Name,
  name,
  type Ref,
  type Restart,
  run,
  Supervisor,
  start,
  startLink,
  supervise,
  whereis,
} from 'sluice'
import { type Equal, expectType, expectValue } from './support.ts'

class Plain extends GenServer {}
class Stack extends GenServer {
  constructor(items: readonly string[]) {
    super()
    this.push(...items)
  }
  push(..._items: string[]) {}
}
class Greeter extends GenServer {
  constructor(greeting?: string) {
    super()
    this.hello(greeting)
  }
  hello(_greeting = 'hello') {}
}
class Cache<K, V> extends GenServer {
  readonly #entries: Map<K, V>
  constructor({ entries }: { readonly entries: Map<K, V> }) {
    super()
    this.#entries = entries
  }
  get(key: K) {
    return this.#entries.get(key)
  }
}
class TallStack extends Stack {
  height() {
    return 1
  }
}

// The ref has the type of the class.
expectValue<Ref<Plain>>()(await start(Plain))
expectValue<Ref<Stack>>()(await startLink(Stack, { arg: ['a'] }))

// `arg` is there exactly when the constructor needs one; a default or `?` makes it optional.
await start(Plain, {})
await start(Plain, { arg: undefined })
await start(Greeter)
await start(Greeter, { name: Greeter })
await start(Greeter, { arg: 'good morning' })
// @ts-expect-error it needs one
await start(Stack)
// @ts-expect-error it takes none
await start(Plain, { arg: 1 })

// A generic class is given its types where it is started.
const cache = await start(Cache<string, number>, { arg: { entries: fresh(() => new Map()) } })
expectValue<Ref<Cache<string, number>>>()(cache)
expectValue<number | undefined>()(await cache.call.get('a'))

// A child is a specification of its class, and knows when it is restarted.
expectValue<ChildSpec<Plain, 'permanent'>>()(child(Plain))
expectValue<ChildSpec<Stack, 'transient'>>()(
  child(Stack, { arg: ['a'], id: 'stack', restart: 'transient', shutdown: 'brutal_kill' }),
)
expectValue<ChildSpec<Supervisor, 'permanent'>>()(
  child(Supervisor, { arg: { strategy: 'one_for_all', children: [child(Plain)] } }),
)
child(Plain, { id: Stack, shutdown: Infinity })
declare const restart: Restart
expectValue<ChildSpec<Plain>>()(child(Plain, { restart }))
expectType<Equal<ChildSpec<Plain>, ChildSpec<Plain, Restart>>>()

// Inside a process, as outside.
export class Parent extends GenServer {
  async adopt() {
    expectValue<Ref<Stack>>()(await this.startLink(Stack, { arg: [] }))
    expectValue<Ref<Plain>>()(await this.start(Plain))
    // @ts-expect-error it needs an argument
    await this.startLink(Stack)
    expectValue<Ref<this>>()(this.self)
  }
}

// Names: the class, or `name(Class, id)`; they and what is found by them are typed.
await start(Stack, { arg: [], name: Stack })
await start(Stack, { arg: [], name: name(Stack, 'left') })
await start(TallStack, { arg: [], name: TallStack })
expectValue<Name<Stack>>()(name(Stack, 'left'))
expectValue<Ref<Stack> | undefined>()(whereis(Stack))
expectValue<Ref<Stack> | undefined>()(whereis(name(Stack, 'left')))
expectValue<Promise<number>>()(name(TallStack, 'left').call.height())
expectValue<void>()(name(TallStack).cast.height())
// @ts-expect-error the name does not change what is started
await start(Stack, { arg: [], name: Plain })
// @ts-expect-error nor does that of another kind
await start(Stack, { arg: [], name: name(Plain, 'left') })

// A ref or a name of a subclass will do where the class is expected, not the other way round.
declare const tall: Ref<TallStack>
declare const stack: Ref<Stack>
expectType<Equal<Ref<TallStack> extends Ref<Stack> ? true : false, true>>()
expectType<Equal<Ref<Stack> extends Ref<TallStack> ? true : false, false>>()
expectType<Equal<Name<TallStack> extends Name<Stack> ? true : false, true>>()
expectType<Equal<Name<Stack> extends Name<TallStack> ? true : false, false>>()
export const anyRefs: readonly Ref[] = [tall, stack, cache]
export const anyClasses: readonly Class[] = [Plain, Stack, Cache, Supervisor]

// Supervisors
const supervisor = await supervise({ strategy: 'rest_for_one', children: [child(Plain)], name: Supervisor })
expectValue<Ref<Supervisor>>()(supervisor)
expectValue<Ref | undefined>()(await supervisor.call.startChild(child(Plain)))
expectValue<Ref | undefined>()(await supervisor.call.restartChild(Plain))
expectValue<void>()(await supervisor.call.terminateChild('plain'))
expectValue<void>()(await supervisor.call.deleteChild('plain'))
const [first] = await supervisor.call.whichChildren()
expectValue<Ref | 'restarting' | undefined>()(first?.ref)
expectValue<number>()((await supervisor.call.countChildren()).active)
export class Shop extends Supervisor {
  constructor(workers: number) {
    super({
      strategy: 'one_for_one',
      children: Array.from({ length: workers }, (_, n) => child(Plain, { id: `w${n}` })),
    })
  }
  open() {
    return true
  }
}
const shop = await start(Shop, { arg: 3, name: Shop })
expectValue<boolean>()(await shop.call.open())

// Applications
const application = await run([child(Plain), child(Stack, { arg: [] })], { strategy: 'rest_for_one', name: Supervisor })
expectValue<Application>()(application)
expectValue<Ref<Supervisor>>()(application.supervisor)
expectValue<ApplicationEnd>()(await application.done)
expectValue<number>()((await application.stop()).exitCode)
await run([], { signals: ['SIGHUP'], signal: new AbortController().signal, shutdown: Infinity, drain: false })
// @ts-expect-error: the children are an array.
await run(child(Plain))
// @ts-expect-error: nobody can catch it.
await run([], { signals: ['SIGKILL'] })
// @ts-expect-error: the root is a supervisor.
await run([], { name: Plain })
