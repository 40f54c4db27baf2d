import { cpSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import Papa from 'papaparse'
import { type BadRow, type CsvOptions, type FileRange, Flow, files } from 'sluice/flow'
import { describe, expect, it } from 'vitest'
import { runProgram } from '../../support/program.ts'
import { tempFile, tempFolder } from '../../support/temp-folder.ts'

async function read(file: string | FileRange, options: CsvOptions = {}) {
  const rows: unknown[] = []
  for await (const batch of files.csv(file, options).batches()) rows.push(...batch)
  return rows
}

const inFile = (content: string, options?: CsvOptions) => read(tempFile(content, 'file.csv'), options)

describe('the rows of a CSV file', () => {
  it.each<[what: string, content: string, rows: unknown[]]>([
    [
      'are objects by its header',
      'a,b\n1,2\n3,4\n',
      [
        { a: '1', b: '2' },
        { a: '3', b: '4' },
      ],
    ],
    ['need no last line break', 'a,b\n1,2', [{ a: '1', b: '2' }]],
    [
      'may have the line breaks of Windows',
      'a,b\r\n1,2\r\n3,\r\n',
      [
        { a: '1', b: '2' },
        { a: '3', b: '' },
      ],
    ],
    ['may be quoted', '"a","b"\n"1,5","say ""hi"""\n', [{ a: '1,5', b: 'say "hi"' }]],
    ['may have quotes in a field without', 'a,b\n5" disk,x\n', [{ a: '5" disk', b: 'x' }]],
    [
      'may have line breaks in them',
      'a,b\n"1\n2\n",3\n4,5\n',
      [
        { a: '1\n2\n', b: '3' },
        { a: '4', b: '5' },
      ],
    ],
    ['keep those as they are', 'a,b\r\n"1\r\n2",3\r\n', [{ a: '1\r\n2', b: '3' }]],
    ['are not the empty lines', '\na,b\n\n1,2\n\n\n', [{ a: '1', b: '2' }]],
    ['are the empty lines where there is one column', 'a\n1\n\n2\n', [{ a: '1' }, { a: '' }, { a: '2' }]],
    [
      'may be empty',
      'a,b\n,\n"",""\n',
      [
        { a: '', b: '' },
        { a: '', b: '' },
      ],
    ],
    ['may follow a byte order mark', '\uFEFF"a",b\n1,2\n', [{ a: '1', b: '2' }]],
    ['may be none', 'a,b\n', []],
    ['may be none without a header', '', []],
  ])('%s', async (_what, content, rows) => {
    expect(await inFile(content)).toEqual(rows)
  })

  it('are arrays without a header, or named by the caller', async () => {
    expect(await inFile('1,2\n3,4\n', { header: false })).toEqual([
      ['1', '2'],
      ['3', '4'],
    ])
    expect(await inFile('1,2\r\n3,4\r\n', { header: ['a', 'b'] })).toEqual([
      { a: '1', b: '2' },
      { a: '3', b: '4' },
    ])
  })

  it('have the columns that are wanted, in any order', async () => {
    expect(await inFile('a,b,c\n1,2,3\n', { columns: ['c', 'a'] })).toEqual([{ c: '3', a: '1' }])
    expect(await inFile('1,2,3\n', { header: ['a', 'b', 'c'], columns: ['b'] })).toEqual([{ b: '2' }])
  })

  it('may be written in another dialect', async () => {
    const options = { delimiter: ';', quote: "'" }
    expect(await inFile("a;b\n'1;''5';\"2\"\n", options)).toEqual([{ a: "1;'5", b: '"2"' }])
    expect(await inFile('a\tb\n1\t2\n', { delimiter: '\t' })).toEqual([{ a: '1', b: '2' }])
  })

  it('may be compressed and encoded in something else', async () => {
    const path = tempFile(gzipSync(Buffer.from('a,b\nZürich,1\n', 'latin1')), 'a.csv.gz')
    expect(await read(path, { encoding: 'latin1' })).toEqual([{ a: 'Zürich', b: '1' }])
  })

  it('are what was written, whatever that is', async () => {
    const field = fc.string({ unit: fc.constantFrom('a', 'ü', '"', '""', ',', '\n', '\r\n', ' '), maxLength: 8 })
    const row = fc.tuple(field, field, field)
    const table = fc.tuple(fc.array(row, { minLength: 1, maxLength: 120 }), fc.constantFrom('\n', '\r\n'), fc.boolean())
    await fc.assert(
      fc.asyncProperty(table, async ([rows, newline, quotes]) => {
        // A first line that ends within a field decides nothing, so there is a header.
        const written = Papa.unparse([['x', 'y', 'z'], ...rows], { newline, quotes })
        const all = await inFile(written + newline, { onBadRow: (bad) => expect.unreachable(JSON.stringify(bad)) })
        expect(all).toEqual(rows.map(([x, y, z]) => ({ x, y, z })))
      }),
    )
  })

  it('go through a flow again and again', async () => {
    const path = tempFile(`name,country\n${'x,DE\ny,GB\n'.repeat(5000)}`)
    const flow = Flow.from(files.csv(path, { columns: ['country'] }))
      .partition({ key: 'country', stages: 2 })
      .reduce(
        () => new Map<string, number>(),
        ({ country }, counts) => counts.set(country, (counts.get(country) ?? 0) + 1),
      )
    for (let run = 0; run < 2; run++) expect(Object.fromEntries(await flow.toMap())).toEqual({ DE: 5000, GB: 5000 })
  })

  it('can be read range by range, each of which knows the header', async () => {
    const rows = Array.from({ length: 100 }, (_, index) => ({ a: `${index}`, b: 'x' }))
    const path = tempFile(`a,b\n${rows.map(({ a, b }) => `${a},${b}`).join('\n')}\n`)
    const ranges = await files.ranges(path, { count: 7, minBytes: 1 })
    expect(ranges).toHaveLength(7)
    expect((await Promise.all(ranges.map((range) => read(range)))).flat()).toEqual(rows)
    const named = await Promise.all(ranges.slice(1).map((range) => read(range, { header: ['c', 'd'] })))
    expect(named.flat().at(-1)).toEqual({ c: '99', d: 'x' })
  })
})

describe('a row that is no CSV', () => {
  const many = Array.from({ length: 100 }, (_, index) => `${index},x`)
  const cases: readonly (readonly [what: string, bad: string, problem: string])[] = [
    ['has too few fields', '1', 'has 1 fields instead of 2'],
    ['has too many', '1,2,3', 'has 3 fields instead of 2'],
    ['has text behind a quoted field', '"1"2,3', 'has a malformed quoted field, in which a quote is written twice'],
    ['has a quoted field that does not end', '1,"2', 'has a quoted field that does not end'],
  ]

  it.each(cases)('fails the reading, which names its line: it %s', async (_what, bad, problem) => {
    const path = tempFile(['a,b', '"x\n",y', ...many, bad, ...many].join('\n'))
    const rows: unknown[] = []
    const reading = async () => {
      for await (const row of files.csv(path)) rows.push(row)
    }
    await expect(reading()).rejects.toThrow(`line 104 of ${path} ${problem}: '${bad}'`)
    await expect(reading()).rejects.toMatchObject({ code: 'bad_row' })
  })

  it.each(cases)('is left out, or collected: it %s', async (_what, bad, problem) => {
    const path = tempFile(['a,b', ...many, bad, 'y,z', bad, ...many].join('\n'))
    const expected = [...many, 'y,z', ...many].map((line) => ({ a: line.split(',')[0], b: line.split(',')[1] }))
    expect(await read(path, { onBadRow: 'skip' })).toEqual(expected)
    const collected: BadRow[] = []
    expect(await read(path, { onBadRow: (row) => void collected.push(row) })).toEqual(expected)
    expect(collected).toEqual([
      { path, line: 102, text: bad, problem },
      { path, line: 104, text: bad, problem },
    ])
  })

  it('over several lines is left out as a whole', async () => {
    const collected: BadRow[] = []
    const onBadRow = (row: BadRow) => void collected.push(row)
    expect(await inFile('a,b\n"1\n2\n3"\n4,5\n', { onBadRow })).toEqual([{ a: '4', b: '5' }])
    expect(collected).toMatchObject([{ line: 2, text: '"1\n2\n3"' }])
  })

  it('hands on the rows before it', async () => {
    const rows: unknown[] = []
    const reading = async () => {
      for await (const row of files.csv(tempFile('a,b\n1,2\n3,4\n5\n6,7\n'))) rows.push(row)
    }
    await expect(reading()).rejects.toThrow('line 4')
    expect(rows).toEqual([
      { a: '1', b: '2' },
      { a: '3', b: '4' },
    ])
  })

  it('is no longer than a line may be: a quote that is never closed does not hold the file', async () => {
    const collected: BadRow[] = []
    const lines = Array.from({ length: 2000 }, (_, index) => `${index},x`)
    const options = { maxLineLength: 1000, onBadRow: (row: BadRow) => void collected.push(row) }
    expect(await inFile(`a,b\n"0,x\n${lines.join('\n')}\n`, options)).toHaveLength(2000)
    expect(collected).toMatchObject([{ line: 2, text: '"0,x' }])
  })
})

describe('a header that cannot be used', () => {
  it.each<[string, string, CsvOptions, string]>([
    ['lacks a column', 'a,b\n1,2\n', { columns: ['a', 'c'] }, 'columns of files.csv: there is no c in the header of'],
    ['has a name twice', 'a,a\n1,2\n', {}, "two columns have the name 'a'"],
    ['is malformed, also when bad rows are skipped', '"a"b,c\n1,2\n', { onBadRow: 'skip' }, 'line 1 of'],
    ['has a name that no object can have', 'a,__proto__\n1,2\n', {}, 'a column cannot have the name __proto__'],
  ])('%s', async (_what, content, options, message) => {
    await expect(inFile(content, options)).rejects.toThrow(message)
  })

  it('does not matter where only other columns are wanted', async () => {
    expect(await inFile('a,a,b\n1,2,3\n', { columns: ['b'] })).toEqual([{ b: '3' }])
  })
})

describe('what is no option of files.csv', () => {
  it.each<[unknown, string]>([
    [{ header: 'yes' }, "header of files.csv: expected a non-empty array of the names of columns, got 'yes'"],
    [{ header: [] }, 'header of files.csv: expected a non-empty array'],
    [{ header: ['a', 'a'] }, "header of files.csv: two columns have the name 'a'"],
    [{ columns: [1] }, 'columns of files.csv: expected a non-empty array of the names of columns'],
    [{ header: false, columns: ['a'] }, 'columns of files.csv need names, and header is false'],
    [{ header: ['a'], columns: ['b'] }, 'columns of files.csv: there is no b in the header that was given, only a'],
    [{ delimiter: '' }, "delimiter of files.csv: expected a text without quotes and line breaks, got ''"],
    [{ delimiter: '\n' }, 'delimiter of files.csv: expected'],
    [{ quote: ',' }, "quote of files.csv: expected one character that is not in the delimiter, got ','"],
    [{ onBadRow: 'ignore' }, "onBadRow of files.csv: expected 'fail', 'skip' or a function of the row, got 'ignore'"],
    [{ delimeter: ';' }, 'files.csv has no option delimeter: did you mean delimiter? Known are'],
  ])('is refused at once: %j', (options, message) => {
    expect(() => files.csv('a.csv', options as CsvOptions)).toThrow(message)
  })
})

it('says what to install where the parser is missing', async () => {
  const folder = tempFolder()('src')
  cpSync('src', folder, { recursive: true })
  cpSync('package.json', `${folder}/../package.json`)
  const { stdout } = await runProgram('without-packages', folder, tempFile('a,b\n'))
  expect(stdout).toBe(
    'missing_package: files.csv parses with the package papaparse, which cannot be loaded: npm install papaparse\n',
  )
})
