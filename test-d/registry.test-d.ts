import {
  child,
  GenServer,
  Name,
  name,
  type Ref,
  Registered,
  Registry,
  type RegistryEntry,
  start,
  startLink,
  Task,
  via,
  whereis,
} from 'sluice'
import { type Equal, expectType, expectValue } from './support.ts'

interface Job {
  readonly type: 'csv' | 'xml'
  readonly size: number
  readonly range: readonly [from: number, to: number]
}
class Jobs extends Registry<string, Job> {
  constructor() {
    super({ keys: 'unique' })
  }
}
class Topics extends Registry<string> {
  constructor() {
    super({ keys: 'duplicate', partitions: 8, listeners: [Jobs, name(Jobs, 'x')], meta: { a: 1 } })
  }
}
class Worker extends GenServer {
  work() {
    return 1
  }
  register() {
    Registry.register(Topics, this, 'a')
    Registry.register(Jobs, this, 'a', job)
  }
}
declare const job: Job
declare const worker: Ref<Worker>

// A registry is started as any process; without a class of its own it is given its types.
const jobs = await startLink(Jobs, { name: Jobs })
await startLink(Registry<string>, { arg: { keys: 'duplicate' }, name: name(Registry<string>, 'events') })
await startLink(Registry<number, string>, { arg: { keys: 'unique' }, name: name(Registry<number, string>, 'ids') })
child(Jobs, { name: Jobs })
child(Topics, { name: name(Topics, 'a') })
// @ts-expect-error it has to be one of two
await startLink(Registry<string>, { arg: { keys: 'several' } })

// Keys and values have the types of the registry, however it is named.
Registry.register(Jobs, worker, 'a', job)
Registry.register(jobs, worker, 'a', job)
Registry.register(name(Jobs, 'x'), worker, 'a', job)
Registry.register(name(Registry<string>, 'events'), worker, 'a')
// @ts-expect-error there are no values
Registry.register(name(Registry<string>, 'events'), worker, 'a', 7)
Registry.register(name(Registry<number, string>, 'ids'), worker, 1, 'a')
// @ts-expect-error the key is a string
Registry.register(Jobs, worker, 1, job)
// @ts-expect-error the value is no job
Registry.register(Jobs, worker, 'a', { type: 'csv' })
// @ts-expect-error it needs a value
Registry.register(Jobs, worker, 'a')
// @ts-expect-error no registry
Registry.register(Worker, worker, 'a')
// @ts-expect-error the key is a number
Registry.lookup(name(Registry<number, string>, 'ids'), 'a')

// Where the value may be undefined, it may be left out.
Registry.register(Topics, worker, 'a')
Task.async((task) => Registry.register(Topics, task, 'a'))

expectValue<readonly RegistryEntry<Job>[]>()(Registry.lookup(Jobs, 'a'))
expectValue<readonly Job[]>()(Registry.values(jobs, 'a', worker))
expectValue<readonly string[]>()(Registry.keys(Jobs, worker))
expectValue<number>()(Registry.count(Topics))
expectValue<{ readonly value: Job; readonly previous: Job }>()(
  Registry.updateValue(Jobs, worker, 'a', (known) => ({ ...known, size: known.size + 1 })),
)
expectValue<Promise<string>>()(Registry.lock(Jobs, worker, { any: 'key' }, async () => 'done'))

// Patterns are typed part by part.
Registry.match(Jobs, 'a', { type: 'csv' })
Registry.match(Jobs, 'a', { size: (size) => size > 3, range: [1] })
Registry.match(Jobs, 'a', (value) => value.type === 'xml')
Registry.unregisterMatch(Jobs, worker, 'a', { type: 'csv' })
// @ts-expect-error no such type
Registry.match(Jobs, 'a', { type: 'pdf' })
// @ts-expect-error no such property
Registry.countMatch(Jobs, 'a', { typ: 'csv' })
// @ts-expect-error a predicate says true or false
Registry.match(Jobs, 'a', async () => true)

const found = Registry.select(Jobs, { key: (key) => key > 'a', value: { type: 'csv' } })
expectValue<string | undefined>()(found[0]?.key)
expectValue<readonly (readonly [string, number])[]>()(
  Registry.select(Jobs, { ref: worker }, ({ key, value }) => [key, value.size] as const),
)
expectValue<number>()(Registry.countSelect(Jobs, ({ value }) => value.size === 3))
// @ts-expect-error no part of an entry
Registry.select(Jobs, { vlaue: { type: 'csv' } })

// A key as a name is typed by the class of the process.
const importer = via(Jobs, Worker, 'import', job)
expectType<Equal<typeof importer, Name<Worker>>>()
expectValue<Promise<number>>()(importer.call.work())
expectValue<Ref<Worker> | undefined>()(whereis(via(Jobs, Worker, 'import')))
await start(Worker, { name: importer })
child(Worker, { name: importer })
// @ts-expect-error the name is that of another kind
await start(Jobs, { name: importer })
// @ts-expect-error the key is a string
via(Jobs, Worker, 1)
// @ts-expect-error the value is no job
via(Jobs, Worker, 'a', 'job')

export function heard(message: unknown): string {
  if (message instanceof Registered) return message.type
  return ''
}
export const isName = (given: unknown): boolean => given instanceof Name
