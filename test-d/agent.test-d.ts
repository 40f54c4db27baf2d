import { Agent, child, name, type Ref, start, startLink, whereis } from 'sluice'
import { expectValue } from './support.ts'

// The state has the type given with the class, or by a subclass.
const counts = await startLink(Agent<Map<string, number>>, { arg: () => new Map() })
expectValue<Ref<Agent<Map<string, number>>>>()(counts)
class Counter extends Agent<number> {
  constructor() {
    super(() => 0)
  }
  next() {
    return this.getAndUpdate((n) => [n, n + 1])
  }
}
const counter = await start(Counter, { name: Counter })
await start(Agent<number>, { arg: async () => 0, name: Agent })
child(Agent<number>, { arg: () => 0, id: 'counter' })
// @ts-expect-error the first state is made by a function
await start(Agent<number>, { arg: 0 })

// Replies have the type of what the function returns.
expectValue<number | undefined>()(await counts.call.get((state) => state.get('a')))
expectValue<number>()(await counter.call.get((n) => n))
expectValue<string>()(await counter.call.get(async (n) => `${n}`))
expectValue<void>()(await counter.call.update((n) => n + 1))
expectValue<string>()(await counter.call.getAndUpdate((n) => [`${n}`, n + 1]))
expectValue<number>()(await counter.call.next())
expectValue<number>()(await counter.with({ timeout: 1 }).call.get((n) => n))
expectValue<number | undefined>()(await whereis(Counter)?.call.get((n) => n))
expectValue<number>()(await name(Agent<number>, 'a').call.get((n) => n))
expectValue<void>()(counter.cast.update((n) => n + 1))
// @ts-expect-error the state is a number
await counter.call.update((n) => `${n}`)
// @ts-expect-error the state is a number
counter.cast.update((n) => `${n}`)
// @ts-expect-error a reply and a state
await counter.call.getAndUpdate((n) => n)
// @ts-expect-error no message
await counter.call.init()
