import {
  CallError,
  child,
  DynamicSupervisor,
  GenServer,
  name,
  PartitionSupervisor,
  type PartitionSupervisorOptions,
  ProcessError,
  partition,
  type Ref,
  StartError,
  start,
  startLink,
  supervise,
} from 'sluice'
import { type Simulation, simulate } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { refusal } from '../../support/workers.ts'

const run = (test: (sim: Simulation) => Promise<void>) => simulate().run(test)

class Shard extends GenServer {
  readonly #index: number
  readonly #seen: unknown[] = []

  constructor(index: number) {
    super()
    this.#index = index
  }

  index(): number {
    return this.#index
  }

  see(value: unknown): void {
    this.#seen.push(value)
  }

  seen(): readonly unknown[] {
    return this.#seen
  }

  crash(): void {
    throw new Error('boom')
  }
}

const shards = name(PartitionSupervisor<Shard>, 'shards')

function startShards(options: Partial<PartitionSupervisorOptions<Shard>> = {}) {
  const arg = { child: (index: number) => child(Shard, { arg: index }), partitions: 3, ...options }
  return startLink(PartitionSupervisor<Shard>, { arg, name: shards })
}

const indexOf = (key: unknown) => partition(shards, key).call.index()

describe('partition', () => {
  it('S82 routes an integer by its absolute value modulo the number of partitions', () =>
    run(async () => {
      await startShards()
      expect(await Promise.all([0, 1, 2, 3, -1, -5, 7n, -4n].map(indexOf))).toEqual([0, 1, 2, 0, 1, 2, 1, 1])
    }))

  it('S82 routes any other key by what it says, always to the same partition, and spreads them', () =>
    run(async () => {
      await startShards()
      const pairs: [unknown, unknown][] = [
        ['ada', ['a', 'da'].join('')],
        [1.5, 3 / 2],
        [null, null],
        [true, true],
        [
          ['a', 1],
          ['a', 1],
        ],
        [
          { a: 1, b: [2] },
          { b: [2], a: 1 },
        ],
      ]
      for (const [key, same] of pairs) expect(await indexOf(key)).toBe(await indexOf(same))
      for (let n = 0; n < 20; n++) expect(await indexOf({ n, [`b${n}`]: 1 })).toBe(await indexOf({ [`b${n}`]: 1, n }))
      const words = Array.from({ length: 300 }, (_, index) => `key ${index}`)
      const found = await Promise.all(words.map(indexOf))
      for (const index of [0, 1, 2]) expect(found.filter((each) => each === index).length).toBeGreaterThan(60)
    }))

  it('S82 routes a ref by its number', () =>
    run(async () => {
      const supervisor = await startShards()
      expect(await indexOf(supervisor)).toBe(await indexOf(supervisor))
      // @ts-expect-error a partition has the messages of its class
      expect(() => partition(shards, supervisor).call.indx).not.toThrow()
    }))

  it('finds the supervisor by ref, by name and by class', () =>
    run(async () => {
      class Shards extends PartitionSupervisor<Shard> {
        constructor() {
          super({ partitions: 2, child: (index) => child(Shard, { arg: index + 10 }) })
        }
      }
      await startLink(Shards, { name: Shards })
      const unnamed: Ref<PartitionSupervisor<Shard>> = await startLink(Shards)
      expect(await partition(Shards, 1).call.index()).toBe(11)
      expect(await partition(unnamed, 0).call.index()).toBe(10)
    }))

  it('casts and sends too, and finds the process again after its restart', () =>
    run(async (sim) => {
      await startShards()
      const one = partition(shards, 1)
      one.cast.see('a')
      await sim.settle()
      expect(await one.call.seen()).toEqual(['a'])
      await expect(one.call.crash()).rejects.toBeInstanceOf(CallError)
      await sim.settle()
      expect(await one.call.seen()).toEqual([])
      expect(await one.call.index()).toBe(1)
      expect(`${one}`).toBe('partition of PartitionSupervisor(shards) for 1')
    }))

  it('S85 throws for a supervisor that does not run, or is another kind of process', () =>
    run(async () => {
      const noproc = expect.objectContaining({ code: 'noproc', message: expect.stringContaining('does not run') })
      expect(() => partition(shards, 1)).toThrow(ProcessError)
      expect(() => partition(shards, 1)).toThrow(noproc)
      const other = await startLink(DynamicSupervisor)
      // @ts-expect-error no partition supervisor
      expect(() => partition(other, 1)).toThrow(expect.objectContaining({ code: 'bad_argument' }))
      const supervisor = await startShards()
      const zero = partition(shards, 0)
      await supervisor.stop()
      expect(() => partition(supervisor, 1)).toThrow(noproc)
      expect(() => zero.call.index()).toThrow(noproc)
    }))

  it('throws for a key that cannot be hashed', () =>
    run(async () => {
      await startShards()
      for (const key of [() => 1, Symbol('key'), new Map(), { deep: new Date(0) }]) {
        expect(() => partition(shards, key)).toThrow(expect.objectContaining({ code: 'bad_argument' }))
      }
    }))

  it('is no name to be borne', () =>
    run(async () => {
      const supervisor = await startShards({ child: (index) => child(Shard, { arg: index, restart: 'temporary' }) })
      const taken = start(Shard, { arg: 1, name: partition(shards, 0) })
      await expect(taken).rejects.toMatchObject({ code: 'already_started' })
      const first = partition(shards, 0)
      const { ref } = (await supervisor.call.whichChildren())[0] ?? {}
      // The supervisor has not heard of it when the name is asked for.
      if (typeof ref === 'object') ref.kill()
      await expect(start(Shard, { arg: 1, name: first })).rejects.toMatchObject({
        code: 'start_failed',
        message: expect.stringContaining('no process can bear it'),
      })
      await expect(first.call.index()).rejects.toMatchObject({ code: 'noproc' })
    }))
})

describe('the partitions', () => {
  it('S83 know their number, at the start and at a restart', () =>
    run(async (sim) => {
      const supervisor = await startShards()
      const before = await supervisor.call.whichChildren()
      expect(before.map(({ id }) => id)).toEqual(['0', '1', '2'])
      expect(await Promise.all([0, 1, 2].map(indexOf))).toEqual([0, 1, 2])
      for (const { ref } of before) if (typeof ref === 'object') ref.kill()
      await sim.settle()
      expect(await Promise.all([0, 1, 2].map(indexOf))).toEqual([0, 1, 2])
    }))

  it('may all be made from one specification', () =>
    run(async () => {
      await startShards({ child: child(Shard, { arg: 7 }) })
      expect(await Promise.all([0, 1, 2].map(indexOf))).toEqual([7, 7, 7])
    }))

  it('are as many as the machine has processors by default', () =>
    run(async () => {
      const supervisor = await startShards({ partitions: undefined })
      expect(await supervisor.call.partitions()).toBeGreaterThan(0)
      expect(await supervisor.call.countChildren()).toMatchObject({ active: await supervisor.call.partitions() })
    }))

  it('can be supervisors: a request goes to one of several', () =>
    run(async () => {
      const pools = name(PartitionSupervisor<DynamicSupervisor>, 'pools')
      const pool = child(DynamicSupervisor)
      await supervise({
        strategy: 'one_for_one',
        children: [child(PartitionSupervisor<DynamicSupervisor>, { name: pools, arg: { child: pool, partitions: 2 } })],
      })
      await DynamicSupervisor.startChild(partition(pools, 1), child(Shard, { arg: 1 }))
      expect(await partition(pools, 0).call.countChildren()).toMatchObject({ active: 0 })
      expect(await partition(pools, 1).call.countChildren()).toMatchObject({ active: 1 })
    }))

  it('follow the strategy', () =>
    run(async (sim) => {
      await startShards({ strategy: 'one_for_all' })
      partition(shards, 0).cast.see('a')
      await sim.settle()
      await expect(partition(shards, 2).call.crash()).rejects.toThrow('boom')
      await sim.settle()
      expect(await partition(shards, 0).call.seen()).toEqual([])
    }))
})

describe('resize', () => {
  it('S84 stops the highest partitions and starts them again, and replies how many there were', () =>
    run(async () => {
      const supervisor = await startShards()
      expect(await supervisor.call.resize(1)).toBe(3)
      expect(await supervisor.call.countChildren()).toEqual({ specs: 3, active: 1, supervisors: 0, workers: 3 })
      expect(await Promise.all([0, 1, 2].map(indexOf))).toEqual([0, 0, 0])
      expect(await supervisor.call.partitions()).toBe(1)
      expect(await supervisor.call.resize(3)).toBe(1)
      expect(await supervisor.call.countChildren()).toEqual({ specs: 3, active: 3, supervisors: 0, workers: 3 })
      expect(await Promise.all([0, 1, 2].map(indexOf))).toEqual([0, 1, 2])
      expect(await supervisor.call.resize(3)).toBe(3)
    }))

  it('S85 refuses a number that is not between 0 and that of the start', () =>
    run(async () => {
      const supervisor = await startShards()
      for (const count of [4, -1, 1.5]) {
        expect(await refusal(supervisor.call.resize(count))).toMatchObject({
          code: 'bad_argument',
          message: `resize: expected an integer from 0 to 3, got ${count}`,
        })
      }
      expect(await supervisor.call.countChildren()).toMatchObject({ active: 3 })
    }))

  it('S85 to 0 leaves nobody to route to', () =>
    run(async () => {
      const supervisor = await startShards()
      expect(await supervisor.call.resize(0)).toBe(3)
      expect(() => partition(shards, 1)).toThrow(
        expect.objectContaining({ code: 'noproc', message: expect.stringContaining('resized to 0') }),
      )
      expect(await supervisor.call.resize(2)).toBe(0)
      expect(await indexOf(1)).toBe(1)
    }))
})

describe('the options of a partition supervisor', () => {
  class Other extends Shard {}
  it.each<[object, RegExp]>([
    [
      { child: undefined },
      /child of PartitionSupervisor: expected child\(Class, options\), or a function .*got undefined/,
    ],
    [{ child: () => Shard }, /child\(0\) of PartitionSupervisor: expected child\(Class, options\)/],
    [{ partitions: 0 }, /partitions of PartitionSupervisor: expected an integer >= 1, got 0/],
    [{ partitions: 1.5 }, /partitions.*got 1.5/],
    [{ autoShutdown: 'any_significant' }, /PartitionSupervisor has no option autoShutdown/],
    [{ strategy: 'one_for_none' }, /strategy.*one_for_one.*got one_for_none/],
    [{ maxRestarts: -1 }, /maxRestarts.*got -1/],
    [
      { child: (index: number) => (index === 0 ? child(Shard, { arg: 0 }) : child(Other, { arg: 1 })) },
      /child of PartitionSupervisor: expected the same class for every partition, got Shard, Other/,
    ],
  ])('S85 %j are refused', (options, message) =>
    run(async (sim) => {
      const error = await startShards(options).catch((thrown: unknown) => thrown)
      expect(error).toBeInstanceOf(StartError)
      expect(error).toMatchObject({ code: 'bad_options', message: expect.stringMatching(message) })
      expect(sim.processes).toEqual([])
    }),
  )

  it('S85 as none at all are refused', () =>
    run(async () => {
      // @ts-expect-error arg is required
      const refused = startLink(PartitionSupervisor<Shard>)
      await expect(refused).rejects.toMatchObject({ code: 'bad_options' })
    }))
})
