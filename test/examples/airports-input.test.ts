/** How the airports example reads its input, and how it shows its progress. */

import fc from 'fast-check'
import { name, startLink } from 'sluice'
import { simulate } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { countAirports } from '../../examples/airports/live/pipeline.ts'
import { progressLine } from '../../examples/airports/live/progress.ts'
import { readBatches } from '../../examples/airports/live/read-batches.ts'
import { Tally } from '../../examples/airports/live/tally.ts'
import { table } from '../../examples/airports/table.ts'
import { Progress } from '../../examples/command-line/progress.ts'
import { csvOf, type Row, textSource } from '../support/airports.ts'

const numRuns = process.env['CI'] ? 1000 : 100

async function read(text: string, chunk: number, size = 3) {
  const batches = []
  for await (const batch of readBatches(textSource(text, chunk), size, new AbortController().signal))
    batches.push(batch)
  return batches
}

const aField = fc.stringMatching(/^[a-c,"\n\r é😀]{0,6}$/u)
const quoted = (field: string) => `"${field.replaceAll('"', '""')}"`

describe('readBatches', () => {
  it('gives the same batches however the bytes arrive', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(aField, aField, aField), { maxLength: 20 }),
        fc.constantFrom('\n', '\r\n'),
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 5 }),
        fc.boolean(),
        async (fields, newline, chunk, size, bom) => {
          const lines = ['type,name,iso_country', ...fields.map((row) => row.map(quoted).join(','))]
          const text = `${bom ? '\uFEFF' : ''}${lines.join(newline)}${newline}`
          const batches = await read(text, chunk, size)
          expect(batches.flatMap(({ airports }) => airports)).toEqual(
            fields.map(([type, , country]) => ({ type: type.trim(), country: country.trim() })),
          )
          expect(batches.map(({ id }) => id)).toEqual(batches.map((_, index) => index))
          expect(batches.slice(0, -1).every(({ rows }) => rows === size)).toBe(true)
        },
      ),
      { numRuns },
    )
  })

  it('needs no line break at the end and skips empty lines', async () => {
    const [batch] = await read('type,iso_country\n\nheliport,US\n\nclosed,FR', 5)
    expect(batch?.airports).toEqual([
      { type: 'heliport', country: 'US' },
      { type: 'closed', country: 'FR' },
    ])
  })

  it('minds no other line break at the end of a line', async () => {
    const airports = [{ type: 'heliport', country: 'US' }]
    expect(await read('type,iso_country\nheliport,US\r\n', 100)).toEqual([{ id: 0, rows: 1, airports }])
    expect(await read('type,iso_country\r\nheliport,US\n', 100)).toEqual([{ id: 0, rows: 1, airports }])
    expect(await read('type,iso_country\rheliport,US\r', 100)).toEqual([{ id: 0, rows: 1, airports }])
  })

  it('finds the columns wherever they stand', async () => {
    const [batch] = await read('iso_country,id,type\nUS,1,heliport\n', 100)
    expect(batch).toEqual({ id: 0, rows: 1, airports: [{ type: 'heliport', country: 'US' }] })
  })

  it('finds a mistake however the bytes arrive', async () => {
    const text = 'type,iso_country\r\nheliport,"US"\r\nheliport,"U"S"\r\n'
    for (let chunk = 1; chunk <= text.length; chunk++) {
      await expect(read(text, chunk)).rejects.toThrow(/^test\.csv: row 3: a quoted field is malformed/)
    }
  })
})

describe('the progress', () => {
  it('tells rows, demand and buffers at every tick, and clears at the end', async () => {
    await simulate({ seed: 1 }).run(async (sim) => {
      const rows = Array.from({ length: 4000 }, (): Row => ['heliport', 'US'])
      const lines: string[] = []
      const progress = { every: 50, show: (line: string) => lines.push(line) }
      const options = { source: textSource(csvOf(rows), 4096), counters: 2, batchSize: 10, delay: 100 }
      const work = countAirports({ ...options, progress })
      await sim.advance(160, { foreign: true })
      expect(lines).toHaveLength(3)
      expect(lines[0]).toMatch(/^20 rows · [\d,]+ rows\/s · batches: 0 asked for, \d buffered, \d+ on their way$/)
      expect(lines[2]).toMatch(/^40 rows/)
      sim.program.signal('SIGINT')
      await work
      expect(lines.slice(3)).toEqual([''])
    })
  })

  it('says nothing while there is nobody to ask', async () => {
    await simulate().run(async (sim) => {
      const lines: string[] = []
      await startLink(Tally, { name: Tally })
      await startLink(Progress, { arg: { every: 50, show: (line) => lines.push(line), line: progressLine } })
      await sim.advance(200)
      expect(lines).toEqual([])
      expect(await name(Tally).call.totals()).toMatchObject({ rows: 0 })
    })
  })
})

describe('the table', () => {
  it('has the ten largest, aligned, with bars to scale', () => {
    const countries = new Map([...'ABCDEFGHIJKL'].map((letter, index) => [`X${letter}`, index + 1]))
    countries.set('US', 1600).set('FR', 800)
    const lines = table(countries)
    expect(lines).toHaveLength(10)
    expect(lines[0]).toBe(` 1  United States  US  1,600  ${'█'.repeat(32)}`)
    expect(lines[1]).toBe(` 2  France         FR    800  ${'█'.repeat(16)}`)
    expect(lines[9]).toMatch(/^10 {2}XE +XE {6}5 {2}▏$/)
  })
})
