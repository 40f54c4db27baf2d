import { type Ref, Registry, start } from 'sluice'
import { simulate } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { linksOf, type Member, member, Topics } from '../../support/registries.ts'

/** A registry with entries of two processes. */
async function filled(): Promise<{ readonly topics: Ref; readonly a: Ref<Member>; readonly b: Ref<Member> }> {
  const topics = await start(Topics, { name: Topics })
  const [a, b] = [await member(), await member()]
  Registry.register(Topics, a, 'news', { kind: 'mail', size: 1, tags: ['x', 'y'] })
  Registry.register(Topics, a, 'news', { kind: 'push', size: 2, tags: ['x', 'z', 'y'] })
  Registry.register(Topics, b, 'news', { kind: 'mail', size: 3, tags: [] })
  Registry.register(Topics, b, 'sport', { kind: 'mail', size: 3 })
  Registry.register(Topics, b, 'sport', 'sport')
  return { topics, a, b }
}

const sizes = (entries: readonly { readonly value: unknown }[]): unknown[] =>
  entries.map(({ value }) => (value as { size?: number }).size)

describe('choosing entries', () => {
  it('S96 unregisterMatch removes only what matches', () =>
    simulate().run(async () => {
      const { topics, a } = await filled()
      Registry.register(Topics, a, 'news', { kind: 'mail', size: 9 })
      Registry.unregisterMatch(Topics, a, 'news', { kind: 'mail' })
      expect(sizes(Registry.lookup(Topics, 'news'))).toEqual([2, 3])
      expect(Registry.count(Topics)).toBe(4)
      Registry.unregisterMatch(Topics, a, 'news', { kind: 'fax' })
      expect(Registry.count(Topics)).toBe(4)
      expect(linksOf(a)).toEqual([topics])
      Registry.unregisterMatch(Topics, a, 'news', () => true)
      expect(Registry.keys(Topics, a)).toEqual([])
      expect(linksOf(a)).toEqual([])
    }))

  it('S101 match finds the entries of a key by a pattern of their value', () =>
    simulate().run(async () => {
      const { a } = await filled()
      const found = (pattern: unknown): unknown[] => sizes(Registry.match(Topics, 'news', pattern))
      expect(Registry.match(Topics, 'news', { kind: 'push' })).toEqual([
        { ref: a, value: { kind: 'push', size: 2, tags: ['x', 'z', 'y'] } },
      ])
      // What is left out matches anything.
      expect(found({})).toEqual([1, 2, 3])
      expect(found({ kind: 'mail' })).toEqual([1, 3])
      expect(found({ kind: 'mail', size: 3 })).toEqual([3])
      // biome-ignore lint/suspicious/noSparseArray: an element that is left out matches anything
      expect(found({ tags: [, 'y'] })).toEqual([1])
      expect(found({ tags: [] })).toEqual([3])
      expect(found({ tags: {} })).toEqual([])
      expect(found({ colour: undefined })).toEqual([])
      expect(found({ size: Number.NaN })).toEqual([])
      Registry.register(Topics, a, 'nan', { size: Number.NaN })
      expect(Registry.countMatch(Topics, 'nan', { size: Number.NaN })).toBe(1)
      expect(Registry.countMatch(Topics, 'news', { kind: 'mail' })).toBe(2)
      expect(Registry.countMatch(Topics, 'absent', {})).toBe(0)
      expect(Registry.countMatch(Topics, 'sport', 'sport')).toBe(1)
      expect(Registry.countMatch(Topics, 'sport', null)).toBe(0)
    }))

  it('S101 a predicate is a guard, of the whole or of a part', () =>
    simulate().run(async () => {
      await filled()
      const large = (size: number): boolean => size > 1
      expect(sizes(Registry.match(Topics, 'news', { kind: 'mail', size: large }))).toEqual([3])
      expect(Registry.countMatch(Topics, 'news', (value: unknown) => sizes([{ value }])[0] !== 2)).toBe(2)
    }))

  it('S101 select looks at all keys, and projects', () =>
    simulate().run(async () => {
      const { a, b } = await filled()
      expect(Registry.countSelect(Topics, {})).toBe(5)
      expect(Registry.countSelect(Topics, { ref: a })).toBe(2)
      expect(Registry.select(Topics, { value: { size: 3 } }, ({ key, ref }) => [key, ref])).toEqual([
        ['news', b],
        ['sport', b],
      ])
      expect(Registry.select(Topics, { key: (key: unknown) => key !== 'news', value: { kind: 'mail' } })).toEqual([
        { key: 'sport', ref: b, value: { kind: 'mail', size: 3 } },
      ])
      // What Elixir says with a variable that stands twice.
      expect(
        Registry.select(
          Topics,
          ({ key, value }) => key === value,
          ({ value }) => value,
        ),
      ).toEqual(['sport'])
    }))

  it('S101 what cannot choose is refused', () =>
    simulate().run(async () => {
      const { a } = await filled()
      const bad = expect.objectContaining({ name: 'RegistryError', code: 'bad_pattern' })
      for (const where of [undefined, null, 'news', { vlaue: 1 }]) {
        expect(() => Registry.select(Topics, where as never)).toThrow(bad)
      }
      expect(() => Registry.select(Topics, { vlaue: 1 } as never)).toThrow(
        'expected key, ref, value of an entry, got vlaue',
      )
      expect(() => Registry.select(Topics, {}, 'key' as never)).toThrow(bad)
      expect(() => Registry.countSelect(Topics, (async () => true) as never)).toThrow(
        'the predicate of select returned a promise, expected true or false',
      )
      expect(() => Registry.match(Topics, 'news', { size: () => undefined })).toThrow(
        'the predicate of match.size returned undefined, expected true or false',
      )
      expect(() => Registry.unregisterMatch(Topics, a, 'news', () => 1)).toThrow(bad)
      expect(Registry.count(Topics)).toBe(5)
    }))
})
