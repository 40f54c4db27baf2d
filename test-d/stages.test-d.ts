import {
  asyncSubscribe,
  Consumer,
  child,
  DemandDispatcher,
  fromIterable,
  IterableProducer,
  manual,
  name,
  Producer,
  ProducerConsumer,
  type Ref,
  resubscribe,
  type Source,
  type Subscription,
  type SubscriptionOptions,
  start,
  startLink,
  stream,
  syncSubscribe,
} from 'sluice'
import { type Handled, ProbeConsumer } from 'sluice/testing'
import { type Equal, expectType, expectValue } from './support.ts'

class Animal {
  readonly legs: number = 4
}
class Dog extends Animal {
  bark() {}
}

class Animals extends Producer<Animal> {
  constructor() {
    super({ bufferSize: Infinity, bufferKeep: 'first', demand: 'accumulate', dispatcher: new DemandDispatcher() })
  }
  override handleDemand(_demand: number): readonly Animal[] {
    return [new Dog()]
  }
}
class Dogs extends Producer<Dog> {
  override async handleDemand(demand: number) {
    return Array.from({ length: demand }, () => new Dog())
  }
}
class Walkers extends Consumer<Animal> {
  constructor() {
    super({
      subscribeTo: [{ to: Animals, minDemand: 0, maxDemand: 1 }, Dogs, { to: name(Dogs, 'park'), cancel: 'transient' }],
    })
  }
  override async handleEvents(animals: readonly Animal[], subscription: Subscription) {
    expectValue<readonly Animal[]>()(animals)
    expectValue<Ref>()(subscription.producer)
  }
}
class Legs extends ProducerConsumer<Animal, number> {
  constructor(options: SubscriptionOptions = {}) {
    super({ subscribeTo: [{ ...options, to: Animals }], bufferSize: 10 })
  }
  override handleEvents(animals: readonly Animal[]) {
    return animals.map(({ legs }) => legs)
  }
  report(legs: number) {
    this.emit([legs])
  }
}
class Sum extends Consumer<number> {
  #sum = 0
  override handleEvents(numbers: readonly number[]) {
    for (const n of numbers) this.#sum += n
  }
  total() {
    return this.#sum
  }
}

// Stages are processes: their refs and their messages are typed.
const legs = await start(Legs, { arg: { maxDemand: 10 } })
expectValue<Promise<void>>()(legs.call.report(4))
const sum = await startLink(Sum, {
  subscribeTo: [{ to: Legs }, { to: legs, maxDemand: 5 }, legs, Legs, name(Legs, 'b')],
})
expectValue<Promise<number>>()(sum.call.total())
child(Sum, { id: 'sum_1', subscribeTo: [{ to: Legs, partition: 'even', data: { any: 'thing' } }] })

// A producer of dogs serves a consumer of animals; a producer of animals no consumer of dogs.
const animals = await start(Animals)
const dogs = await start(Dogs)
await start(Walkers, { subscribeTo: [{ to: dogs }, { to: Dogs }, { to: name(Dogs) }, dogs, { to: animals }] })
class Kennel extends Consumer<Dog> {
  override handleEvents() {}
}
await start(Kennel, { subscribeTo: [{ to: dogs }] })
// @ts-expect-error not every animal is a dog
await start(Kennel, { subscribeTo: [{ to: animals }] })
// @ts-expect-error also by class
await start(Kennel, { subscribeTo: [{ to: Animals }] })
// @ts-expect-error also by name
await start(Kennel, { subscribeTo: [{ to: name(Animals, 'zoo') }] })
// @ts-expect-error also without options
await start(Kennel, { subscribeTo: [animals] })

// While they run
expectValue<Promise<Subscription>>()(syncSubscribe(sum, { to: legs, timeout: 100 }))
expectValue<void>()(asyncSubscribe(sum, { to: Legs, cancel: 'temporary' }))
expectValue<Promise<Subscription>>()(resubscribe(sum, await syncSubscribe(sum, { to: legs }), 'normal', { to: Legs }))
const kennel = await start(Kennel)
await syncSubscribe(kennel, { to: dogs })
// @ts-expect-error not every animal is a dog
await syncSubscribe(kennel, { to: animals })
// @ts-expect-error a producer handles nothing
await syncSubscribe(dogs, { to: dogs })
export class Joining extends Consumer<Animal> {
  override handleEvents() {}
  join(to: Ref<Dogs>) {
    expectValue<Subscription>()(this.subscribe({ to, maxDemand: 1 }))
  }
}

// Callbacks: nothing, events, or a promise of them; choices are constants.
export class Asking extends Consumer<number> {
  override handleEvents() {}
  override handleSubscribe(_peer: 'producer' | 'consumer', subscription: Subscription) {
    subscription.ask(1)
    return manual
  }
}
export class Sometimes extends Producer<number> {
  override handleDemand(demand: number) {
    return demand > 10 ? [demand] : undefined
  }
  override handleInfo(message: unknown) {
    return typeof message === 'number' ? [message] : []
  }
  override handleCancel() {
    this.emit([1])
  }
}
export class Later extends ProducerConsumer<string, number> {
  override async handleEvents(words: readonly string[]) {
    await this.sleep(1)
    return words.map(Number)
  }
}

// Iterables: the type of the events is that of the source.
expectValue<Ref<IterableProducer<number>>>()(await fromIterable([1, 2, 3]))
expectValue<Ref<IterableProducer<string>>>()(
  await fromIterable(() => new Set(['a']), { onCancel: 'stop', link: false }),
)
expectValue<Ref<IterableProducer<[string, number]>>>()(await fromIterable(new Map([['a', 1]])))
async function* rows() {
  yield { id: 1 }
}
expectValue<Ref<IterableProducer<{ id: number }>>>()(await fromIterable(rows))
expectValue<Ref<IterableProducer<number>>>()(await start(IterableProducer<number>, { arg: { source: () => [1] } }))
child(IterableProducer<number>, { arg: { source: [1] } })
// @ts-expect-error the source has another type
child(IterableProducer<number>, { arg: { source: ['a'] } })
expectType<Equal<Source<number>, Iterable<number> | AsyncIterable<number>>>()
await start(Sum, { subscribeTo: [await fromIterable([1, 2, 3])] })
// @ts-expect-error words are no numbers
await start(Sum, { subscribeTo: [{ to: await fromIterable(['a']) }] })

// Streams
expectValue<AsyncIterable<number>>()(stream(legs))
expectValue<AsyncIterable<number>>()(stream({ to: Legs, maxDemand: 10 }))
expectValue<AsyncIterable<number>>()(stream([legs, { to: legs }]))
expectValue<AsyncIterable<Dog>>()(stream(Dogs))
expectValue<AsyncIterable<Dog>>()(stream(name(Dogs, 'park')))
for await (const dog of stream(dogs)) expectValue<Dog>()(dog)
// @ts-expect-error a consumer emits nothing
stream(sum)

// Probes
declare const report: Ref
await start(ProbeConsumer<number>, { arg: report, subscribeTo: [legs] })
expectType<Equal<Handled<number>['events'], readonly number[]>>()
