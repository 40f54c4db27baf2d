import { child, name, Registry, start, startLink, supervise } from 'sluice'
import { simulate } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { Jobs, linksOf, Member, member, Topics } from '../../support/registries.ts'
import { settlement } from '../../support/settlement.ts'

const csv = { type: 'csv' }
const xml = { type: 'xml' }

describe('a registry', () => {
  it('S91 with unique keys finds who was registered', () =>
    simulate().run(async (sim) => {
      const jobs = await start(Jobs, { name: Jobs })
      const worker = await member()
      Registry.register(Jobs, worker, 'import', csv)
      expect(Registry.lookup(Jobs, 'import')).toEqual([{ ref: worker, value: csv }])
      expect(Registry.lookup(Jobs, 'import')[0]?.ref).toBe(worker)
      expect(Registry.lookup(Jobs, 'export')).toEqual([])
      expect(Registry.values(Jobs, 'import', worker)).toEqual([csv])
      expect(Registry.values(Jobs, 'import', jobs)).toEqual([])
      expect(Registry.keys(Jobs, worker)).toEqual(['import'])
      expect(Registry.count(Jobs)).toBe(1)
      expect(linksOf(worker)).toEqual([jobs])
      await jobs.stop({ reason: 'shutdown' })
      expect(sim.processes).toEqual([])
      expect(sim.clock.pending).toBe(0)
    }))

  it('S92 refuses a unique key that is taken, by the same process too, and nothing of it is left', () =>
    simulate().run(async () => {
      await start(Jobs, { name: Jobs })
      const [holder, other] = [await member(), await member()]
      Registry.register(Jobs, holder, 'import', csv)
      for (const late of [other, holder]) {
        expect(() => Registry.register(Jobs, late, 'import', xml)).toThrow(
          expect.objectContaining({ name: 'RegistryError', code: 'already_registered', ref: holder }),
        )
      }
      expect(() => Registry.register(Jobs, other, 'import', xml)).toThrow(/'import' of Jobs#\d+ is taken by Member#\d+/)
      expect(Registry.lookup(Jobs, 'import')).toEqual([{ ref: holder, value: csv }])
      expect(Registry.keys(Jobs, other)).toEqual([])
      expect(linksOf(other)).toEqual([])
      expect(Registry.count(Jobs)).toBe(1)
    }))

  it('S93 forgets a process at its end, at once', () =>
    simulate().run(async (sim) => {
      await start(Jobs, { name: Jobs })
      const [holder, next] = [await member(), await member()]
      Registry.register(Jobs, holder, 'import', csv)
      Registry.register(Jobs, holder, 'export', xml)
      holder.kill()
      expect(Registry.lookup(Jobs, 'import')).toEqual([])
      expect(Registry.keys(Jobs, holder)).toEqual([])
      expect(Registry.count(Jobs)).toBe(0)
      Registry.register(Jobs, next, 'import', xml)
      expect(Registry.lookup(Jobs, 'import')).toEqual([{ ref: next, value: xml }])
      await settlement(next.call.crash('over'))
      expect(Registry.count(Jobs)).toBe(0)
      await sim.settle()
      // The end of a member is no message that a registry would have to report.
      expect(sim.logs.filter(({ level }) => level === 'warn')).toEqual([])
    }))

  it('S93 a key is free even while the end of its holder is being told', () =>
    simulate().run(async () => {
      await start(Jobs, { name: Jobs })
      const [holder, next] = [await member(), await member()]
      let free: unknown
      class Watched extends Member {
        watch() {
          this.signal.addEventListener('abort', () => {
            free = Registry.lookup(Jobs, 'import')
            Registry.register(Jobs, next, 'import', xml)
          })
        }
      }
      const watched = await start(Watched)
      await watched.call.watch()
      Registry.register(Jobs, watched, 'import', csv)
      Registry.register(Jobs, watched, 'export', csv)
      watched.kill()
      expect(free).toEqual([])
      expect(Registry.lookup(Jobs, 'import')).toEqual([{ ref: next, value: xml }])
      expect(Registry.lookup(Jobs, 'export')).toEqual([])
      expect(Registry.count(Jobs)).toBe(1)
      expect(holder.alive).toBe(true)
    }))

  it('S93 the dead cannot be registered', () =>
    simulate().run(async () => {
      await start(Jobs, { name: Jobs })
      const dead = await member()
      dead.kill()
      expect(() => Registry.register(Jobs, dead, 'import', csv)).toThrow(
        /Member#\d+ has ended, it cannot be registered/,
      )
      expect(Registry.count(Jobs)).toBe(0)
    }))

  it('S94 with duplicate keys has many entries of a key, of one process even', () =>
    simulate().run(async () => {
      await start(Topics, { name: Topics })
      const [a, b] = [await member(), await member()]
      await a.call.join('news', 1)
      await b.call.join('news', 2)
      await a.call.join('news', 3)
      expect(Registry.lookup(Topics, 'news')).toEqual([
        { ref: a, value: 1 },
        { ref: b, value: 2 },
        { ref: a, value: 3 },
      ])
      expect(Registry.keys(Topics, a)).toEqual(['news', 'news'])
      expect(Registry.values(Topics, 'news', a)).toEqual([1, 3])
      expect(Registry.count(Topics)).toBe(3)
    }))

  it('S95 unties a process with its last key', () =>
    simulate().run(async (sim) => {
      const topics = await start(Topics, { name: Topics })
      const worker = await member()
      Registry.register(Topics, worker, 'news', 1)
      Registry.register(Topics, worker, 'news', 2)
      Registry.register(Topics, worker, 'sport', 3)
      Registry.unregister(Topics, worker, 'news')
      expect(Registry.keys(Topics, worker)).toEqual(['sport'])
      expect(linksOf(worker)).toEqual([topics])
      Registry.unregister(Topics, worker, 'absent')
      Registry.unregister(Topics, worker, 'sport')
      expect(Registry.count(Topics)).toBe(0)
      expect(linksOf(worker)).toEqual([])
      Registry.unregister(Topics, worker, 'sport')
      topics.kill()
      await sim.settle()
      expect(worker.alive).toBe(true)
    }))

  it('S95 a process that started the registry stays linked to it', () =>
    simulate().run(async () => {
      class Owner extends Member {
        own() {
          return this.startLink(Topics, { name: Topics })
        }
      }
      const owner = await start(Owner)
      const topics = await owner.call.own()
      Registry.register(Topics, owner, 'news', 1)
      Registry.unregister(Topics, owner, 'news')
      expect(linksOf(owner)).toEqual([topics])
    }))

  it('S97 lets the holder of a key replace its value', () =>
    simulate().run(async () => {
      await start(Jobs, { name: Jobs })
      const holder = await member()
      Registry.register(Jobs, holder, 'import', { type: 'csv', size: 1 })
      const grown = Registry.updateValue(Jobs, holder, 'import', (job) => ({ ...job, size: 2 }))
      expect(grown).toEqual({ value: { type: 'csv', size: 2 }, previous: { type: 'csv', size: 1 } })
      expect(Registry.values(Jobs, 'import', holder)).toEqual([grown.value])
    }))

  it('S97 refuses another who would replace it, or a registry with duplicate keys', () =>
    simulate().run(async () => {
      await start(Jobs, { name: Jobs })
      await start(Topics, { name: Topics })
      const [holder, other] = [await member(), await member()]
      Registry.register(Jobs, holder, 'import', csv)
      Registry.register(Topics, holder, 'import', 1)
      expect(() => Registry.updateValue(Jobs, other, 'import', () => xml)).toThrow(
        expect.objectContaining({ code: 'not_registered', ref: holder }),
      )
      expect(() => Registry.updateValue(Jobs, other, 'import', () => xml)).toThrow(
        /Member#\d+ cannot update the key 'import' of Jobs#\d+: it belongs to Member#\d+/,
      )
      expect(() => Registry.updateValue(Jobs, other, 'export', () => xml)).toThrow('nobody has it')
      expect(Registry.values(Jobs, 'import', holder)).toEqual([csv])
      expect(() => Registry.updateValue(Topics, holder, 'import', () => 2)).toThrow(
        expect.objectContaining({ code: 'not_unique' }),
      )
    }))

  it('S103 keeps things of its own', () =>
    simulate().run(async () => {
      const jobs = await start(Jobs, { name: Jobs })
      expect(Registry.meta(Jobs, 'since')).toBe(1986)
      expect(Registry.meta(Jobs, 'owner')).toBeUndefined()
      Registry.putMeta(Jobs, 'owner', csv)
      expect(Registry.meta(jobs, 'owner')).toBe(csv)
      Registry.deleteMeta(Jobs, 'owner')
      Registry.deleteMeta(Jobs, 'owner')
      expect(Registry.meta(Jobs, 'owner')).toBeUndefined()
    }))

  it('S106 compares keys as a Map does', () =>
    simulate().run(async () => {
      await start(Jobs, { name: Jobs })
      const worker = await member()
      const object = { id: 1 }
      for (const key of [1, '1', 1n, Number.NaN, null, undefined, object, { id: 1 }]) {
        Registry.register(Jobs, worker, key, csv)
        expect(() => Registry.register(Jobs, worker, key, csv)).toThrow('is taken')
      }
      expect(Registry.count(Jobs)).toBe(8)
      expect(() => Registry.register(Jobs, worker, 1.0, csv)).toThrow('is taken')
      Registry.register(Jobs, worker, 0, csv)
      expect(() => Registry.register(Jobs, worker, -0, csv)).toThrow('is taken')
      expect(Registry.lookup(Jobs, object)).toHaveLength(1)
      expect(Registry.lookup(Jobs, { id: 1 })).toEqual([])
    }))
})

describe('a registry as a process', () => {
  it('takes all who are registered down with it', () =>
    simulate().run(async () => {
      const jobs = await start(Jobs, { name: Jobs })
      const [a, free] = [await member(), await member()]
      Registry.register(Jobs, a, 'import', csv)
      jobs.kill()
      expect(await a.done).toBe('killed')
      expect(free.alive).toBe(true)
    }))

  it('starts empty when it is restarted, and knows its members by name', () =>
    simulate().run(async (sim) => {
      await supervise({ strategy: 'one_for_one', children: [child(Jobs, { name: Jobs })] })
      class Survivor extends Member {
        constructor() {
          super()
          this.trapExits(true)
        }
        override handleInfo() {}
      }
      const worker = await start(Survivor)
      Registry.register(Jobs, worker, 'import', csv)
      name(Jobs).holder()?.kill()
      await sim.settle()
      expect(Registry.count(Jobs)).toBe(0)
      expect(Registry.keys(Jobs, worker)).toEqual([])
      Registry.register(Jobs, worker, 'import', xml)
      worker.kill()
      expect(Registry.count(Jobs)).toBe(0)
    }))

  it('is named by a name, its class or a ref, and needs no class of its own', () =>
    simulate().run(async () => {
      const events = name(Registry<string, number>, 'events')
      const ref = await start(Registry<string, number>, { arg: { keys: 'duplicate' }, name: events })
      const worker = await member()
      Registry.register(events, worker, 'a', 1)
      Registry.register(ref, worker, 'a', 2)
      expect(Registry.values(events, 'a', worker)).toEqual([1, 2])
    }))

  it('that does not run is named in the error of every function', () =>
    simulate().run(async () => {
      const worker = await member()
      const noproc = expect.objectContaining({ name: 'ProcessError', code: 'noproc' })
      expect(() => Registry.lookup(Jobs, 'a')).toThrow('there is no registry Jobs')
      for (const attempt of [
        () => Registry.register(Jobs, worker, 'a', csv),
        () => Registry.unregister(Jobs, worker, 'a'),
        () => Registry.unregisterMatch(Jobs, worker, 'a', csv),
        () => Registry.updateValue(Jobs, worker, 'a', () => csv),
        () => Registry.lookup(Jobs, 'a'),
        () => Registry.values(Jobs, 'a', worker),
        () => Registry.keys(Jobs, worker),
        () => Registry.count(Jobs),
        () => Registry.match(Jobs, 'a', csv),
        () => Registry.countMatch(Jobs, 'a', csv),
        () => Registry.select(Jobs, {}),
        () => Registry.countSelect(Jobs, {}),
        () => Registry.meta(Jobs, 'a'),
        () => Registry.putMeta(Jobs, 'a', 1),
        () => Registry.deleteMeta(Jobs, 'a'),
      ]) {
        expect(attempt).toThrow(noproc)
      }
      expect((await settlement(Registry.dispatch(Jobs, 'a', () => {}))).error).toEqual(noproc)
      expect((await settlement(Registry.lock(Jobs, worker, 'a', () => {}))).error).toEqual(noproc)
      const jobs = await start(Jobs)
      await jobs.stop()
      expect(() => Registry.count(jobs)).toThrow(/there is no registry Jobs#\d+/)
      expect(() => Registry.count(worker as never)).toThrow(/expected a registry, got Member#\d+/)
    }))

  it.each([
    [undefined, 'the options of Registry: expected { keys }, got undefined'],
    [{}, 'keys of Registry: expected unique or duplicate, got undefined'],
    [{ keys: 'several' }, 'keys of Registry: expected unique or duplicate, got several'],
    [{ keys: 'unique', partitions: 0 }, 'partitions of Registry: expected an integer >= 1, got 0'],
    [{ keys: 'unique', partition: 2 }, 'Registry has no option partition: did you mean partitions?'],
    [{ keys: 'unique', listeners: 'log' }, 'listeners of Registry: expected an array of refs and names, got log'],
    [{ keys: 'unique', listeners: ['log'] }, 'listeners of Registry: expected refs and names, got log'],
    [{ keys: 'unique', meta: 7 }, 'meta of Registry: expected an object, got 7'],
  ])('refuses the options %j', (options, text) =>
    simulate().run(async (sim) => {
      const { error } = await settlement(startLink(Registry<string>, { arg: options as never }))
      expect(error).toMatchObject({ code: 'start_failed', cause: { name: 'RegistryError', code: 'bad_options' } })
      expect(String(error)).toContain(text)
      expect(sim.processes).toEqual([])
    }),
  )
})
