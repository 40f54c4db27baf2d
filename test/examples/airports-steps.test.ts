/** The steps of the airports example: all that are right give the same answer, and the one that is wrong does not. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Flow } from 'sluice/flow'
import { afterAll, describe, expect, it } from 'vitest'
import { eager } from '../../examples/airports/book/1-eager.ts'
import { streamed } from '../../examples/airports/book/2-streamed.ts'
import { oneParser } from '../../examples/airports/book/3-one-parser.ts'
import { parseInStages } from '../../examples/airports/book/4-parse-in-stages.ts'
import { noPartition } from '../../examples/airports/book/5-no-partition.ts'
import { partition } from '../../examples/airports/book/6-partition.ts'
import { groupBy } from '../../examples/airports/book/7-group-by.ts'
import { topTen } from '../../examples/airports/book/8-top-ten.ts'
import { type Snapshot, snapshots } from '../../examples/airports/book/9-snapshots.ts'
import { lineParser } from '../../examples/airports/book/line-parser.ts'
import { together } from '../../examples/airports/book/show.ts'
import { STEPS } from '../../examples/airports/book/steps.ts'
import type { Airport } from '../../examples/airports/data/airport.ts'
import { program } from '../../examples/airports/program.ts'
import { csvOf, expectedOf, type Row } from '../support/airports.ts'

const folder = mkdtempSync(join(tmpdir(), 'airports-steps-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** Writes a file; its path. */
function file(name: string, content: string): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

// Enough for four batches, so that each of four stages sees some airports of every country.
const rows = Array.from({ length: 6000 }, (_, index): Row => {
  const type = ['closed', 'heliport', 'small_airport'][index % 3] ?? ''
  return [type, `${'ABCDE'[index % 5]}${'ABCD'[(index * 7) % 4]}`]
})
const path = file('airports.csv', csvOf(rows))
const truth = expectedOf(rows)

const open = async (stages: number): Promise<Flow<Airport>> => parseInStages(path, stages, await lineParser(path))

async function all<T>(many: Iterable<T> | AsyncIterable<T>): Promise<T[]> {
  const list: T[] = []
  for await (const each of many) list.push(each)
  return list
}

const inOrder = (airports: readonly Airport[]) => airports.map(({ type, country }) => `${country} ${type}`).sort()

describe('the open airports', () => {
  it.each([
    ['eager', () => eager(path)],
    ['streamed', () => streamed(path)],
    ['parsed by the producer', () => oneParser(path, 4)],
    ['parsed by the stages', () => open(4)],
  ])('are the same when they are %s', async (_how, airports) => {
    const expected = rows.filter(([type]) => type !== 'closed').map(([type, country]) => ({ type, country }))
    expect(inOrder(await all(await airports()))).toEqual(inOrder(expected))
  })

  it('of which one can have the first before the last is read', async () => {
    const broken = file('broken.csv', `${csvOf(rows)}heliport,US\n`)
    for await (const airport of streamed(broken)) {
      expect(airport).toEqual({ type: 'heliport', country: 'BD' })
      break
    }
    await expect(all(streamed(broken))).rejects.toThrow('line 6002')
    await expect(eager(broken)).rejects.toThrow('Too few fields')
  })
})

describe.each([1, 2, 4, 7])('counted by country in %d stages', (stages) => {
  it('they are the same from numbers as from lists', async () => {
    expect(await partition(await open(stages), stages).toMap()).toEqual(truth.countries)
    expect(await groupBy(await open(stages), stages).toMap()).toEqual(truth.countries)
  })

  it('the top ten are those with most airports, in order', async () => {
    const top = [...truth.countries].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)).slice(0, 10)
    expect(await topTen(await open(stages), stages).first()).toEqual(top)
  })

  it('the snapshots are what the stages have counted so far, and at last all', async () => {
    const seen: Snapshot[] = await snapshots(path, { stages, every: 300, delay: 0 }).toArray()
    for (let stage = 0; stage < stages; stage++) {
      const sums = seen.filter((each) => each.stage === stage).map(({ counts }) => sumOf([...counts]))
      const last = sums.at(-1) ?? 0
      expect(sums).toEqual([...Array.from({ length: Math.floor(last / 300) }, (_, index) => (index + 1) * 300), last])
    }
    expect(seen.filter(({ done }) => done)).toHaveLength(stages)
    const latest = new Map(seen.map(({ stage, counts }) => [stage, counts]))
    expect(new Map(together(latest))).toEqual(truth.countries)
  })
})

const sumOf = (counts: readonly (readonly [string, number])[]) => counts.reduce((sum, [, count]) => sum + count, 0)

describe('counted without a partition', () => {
  it('a country has several answers, which make the right one only together', async () => {
    const answers = await noPartition(await open(4)).toArray()
    expect(answers.length).toBeGreaterThan(truth.countries.size)
    const sums = new Map<string, number>()
    for (const [country, count] of answers) sums.set(country, (sums.get(country) ?? 0) + count)
    expect(sums).toEqual(truth.countries)
    expect(new Map(answers)).not.toEqual(truth.countries)
  })
})

describe('what is wrong with the file', () => {
  const mistakes: readonly (readonly [what: string, content: string | undefined, said: string])[] = [
    ['missing', undefined, 'there is no such file'],
    ['empty', '', 'is empty; expected a header with the columns type and iso_country'],
    ['without a column', 'type,name\nheliport,A\n', 'row 1: expected a header with the columns type and iso_country'],
    ['with a short row', `${csvOf(rows)}heliport,US\n`, 'ields'],
    ['with a stray quote', `${csvOf(rows)}heliport,"a" b",US\n`, 'quote'],
  ]
  it.each(mistakes)('is said in one line by every step: %s', async (what, content, said) => {
    const given = content === undefined ? join(folder, 'missing.csv') : file(`${what}.csv`, content)
    for (const { name } of STEPS) {
      let errors = ''
      const write = (text: string) => {
        errors += text
      }
      const code = await program(['--step', name, '--delay', '0', given], { write: () => {} }, { write })
      expect({ code, name, lines: errors.split('\n').length, errors }).toMatchObject({
        code: 1,
        lines: 2,
        errors: expect.stringMatching(new RegExp(`^airports: .*${said}`)),
      })
      expect(errors).toContain(given)
    }
  })
})
