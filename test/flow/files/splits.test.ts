import { gzipSync } from 'node:zlib'
import { Flow, files, type SplitSource } from 'sluice/flow'
import { describe, expect, it } from 'vitest'
import { FileLines } from '../../../src/flow/files/file-lines.ts'
import { filePart } from '../../../src/flow/files/file-part.ts'
import { PARTS_A_READER } from '../../../src/flow/splits/split-source.ts'
import { rejection } from '../../support/flows.ts'
import { tempFile } from '../../support/temp-folder.ts'

const text = (lines: readonly string[], newline: string, last: string) => lines.join(newline) + last
const plain = Array.from({ length: 60 }, (_, index) => `line ${index}`)
const contents = {
  'with a final line break': text(plain, '\n', '\n'),
  'without one': text(plain, '\n', ''),
  'with the line breaks of Windows': text(plain, '\r\n', '\r\n'),
  'with empty lines': text(['', '', 'a', '', '', '', 'b', ''], '\n', '\n\n'),
  'with a line that is longer than most parts': text(['a', 'b'.repeat(200), 'c', 'd'], '\n', '\n'),
  'with characters of several bytes': text(['ä€😀', '上海', '', 'é'.repeat(40), '😀'], '\n', '\n'),
  'with a byte order mark': `\uFEFF${text(plain, '\n', '\n')}`,
  'with nothing in it': '',
}

async function all<T>(source: AsyncGenerator<readonly T[], void, undefined>): Promise<readonly T[]> {
  const events: T[] = []
  for await (const batch of source) events.push(...batch)
  return events
}

/** What each part has, in the order of the parts. */
async function parts<T, Split>(source: SplitSource<T, Split>, count = 1): Promise<readonly (readonly T[])[]> {
  return await Promise.all([...(await source.plan(count))].map((split) => all(source.open(split))))
}

describe('F213 the parts of a file', () => {
  it.each(Object.entries(contents))('%s have its lines, each once, however many there are', async (_what, content) => {
    const path = tempFile(content)
    const expected = await all(files.lines(path).batches())
    for (let splits = 1; splits <= 64; splits++) {
      expect((await parts(files.lines(path, { splits }))).flat()).toEqual(expected)
    }
  })

  it('are as many as were asked for, as plain data', async () => {
    const source = files.lines(tempFile(text(plain, '\n', '\n')), { splits: 4 })
    const splits = await source.plan(100)
    expect(splits).toHaveLength(4)
    expect(structuredClone(splits)).toEqual(splits)
    expect(await source.plan(1)).toHaveLength(4)
  })

  it('are as many as are useful by themselves, of 4 MiB on average', async () => {
    const path = tempFile('0123456789abcde\n'.repeat(1024 * 1024))
    expect(await files.lines(path).plan(8)).toHaveLength(4)
    expect(await files.lines(path).plan(2)).toHaveLength(2)
    expect(await files.lines(tempFile('a\nb\n')).plan(8)).toHaveLength(1)
  })

  it('are smaller towards the end, where there are several for each reader', async () => {
    const source = new FileLines(filePart('files.lines', tempFile('0123456789abcde\n'.repeat(64 * 1024)), {}), 12)
    const sizes = async (readers: number) =>
      (await source.plan(PARTS_A_READER * readers)).map(({ start, end }) => Number(end) - start)
    const two = await sizes(2)
    expect(two.toSorted((a, b) => b - a)).toEqual(two)
    expect(two[0]).toBe(256 * 1024)
    expect(two[11]).toBeLessThan(two[0]! / 10)
    expect(new Set(await sizes(6)).size).toBeLessThanOrEqual(2)
  })

  it('are one of what cannot be cut', async () => {
    const lines = text(plain, '\n', '\n')
    const whole = [{ start: 0, end: undefined }]
    const packed = tempFile(gzipSync(lines), 'lines.txt.gz')
    expect(await files.lines(packed, { splits: 9 }).plan(9)).toEqual(whole)
    expect(await parts(files.lines(packed, { splits: 9 }))).toEqual([plain])
    const wide = tempFile(Buffer.from(`\uFEFF${lines}`, 'utf16le'))
    expect(await files.lines(wide, { splits: 9 }).plan(9)).toEqual(whole)
    expect(await parts(files.lines(wide, { splits: 9 }))).toEqual([plain])
    const range = { path: tempFile(lines), start: 7, end: 14 }
    expect(await files.lines(range, { splits: 9 }).plan(9)).toEqual([{ start: 7, end: 14 }])
    expect(await parts(files.lines(range, { splits: 9 }))).toEqual([['line 1']])
  })

  it('of a file that is not there fail with its name', async () => {
    const error = await rejection(Promise.resolve(files.lines('nowhere.txt', { splits: 2 }).plan(1)))
    expect(error).toMatchObject({ code: 'bad_file', message: expect.stringContaining('nowhere.txt') })
  })

  it.each([0, 1.5, 'all', null])('cannot be %s many', (splits) => {
    const given = { splits: splits as never }
    for (const open of [
      () => files.lines('a', given),
      () => files.csv('a', given),
      () => files.jsonLines('a', given),
    ]) {
      expect(open).toThrow(
        expect.objectContaining({
          code: 'bad_options',
          message: expect.stringMatching(/^splits of files\.\w+: expected/),
        }),
      )
    }
  })

  it('are read one after another by a flow in one thread', async () => {
    const path = tempFile(text(plain, '\n', '\n'))
    expect(await Flow.from(files.lines(path, { splits: 7 })).toArray()).toEqual(plain)
  })
})

describe('the parts of a file of JSON', () => {
  it('have its values', async () => {
    const path = tempFile('{"a":1}\n\n2\n"x"\n')
    for (let splits = 1; splits <= 8; splits++) {
      expect((await parts(files.jsonLines(path, { splits }))).flat()).toEqual([{ a: 1 }, 2, 'x'])
    }
  })

  it('say from where a line that is none was counted', async () => {
    const path = tempFile('1\n2\n3\n4\n5\nx\n')
    const error = await rejection(parts(files.jsonLines(path, { splits: 2 })))
    expect(error).toMatchObject({ message: expect.stringMatching(/line 3 of .*, counted from byte 6, is no JSON/) })
  })
})

describe('the parts of a file of CSV', () => {
  const rows = Array.from({ length: 40 }, (_, index) => ({ id: `${index}`, name: `n ${index}, ${'x'.repeat(index)}` }))
  const csv = `id,name\n${rows.map(({ id, name }) => `${id},"${name}"\n`).join('')}`

  it('have its rows, by the names in its header', async () => {
    const path = tempFile(csv)
    for (let splits = 1; splits <= 40; splits++) {
      expect((await parts(files.csv(path, { splits }))).flat()).toEqual(rows)
      expect((await parts(files.csv(path, { splits, columns: ['name'] }))).flat()).toEqual(
        rows.map(({ name }) => ({ name })),
      )
    }
  })

  it('are one, unless they are asked for: a field may have a line break', async () => {
    const path = tempFile('id,name\n1,"a\nb"\n2,c\n')
    const source = files.csv(path)
    expect(await source.plan(8)).toEqual([{ start: 0, end: undefined }])
    expect(await parts(source, 8)).toEqual([
      [
        { id: '1', name: 'a\nb' },
        { id: '2', name: 'c' },
      ],
    ])
  })

  it.each([1, 40])('are refused where a field has one, the %i. row', async (row) => {
    const broken = csv.replace(`n ${row - 1},`, `n\n${row - 1},`)
    const source = files.csv(tempFile(broken), { splits: 'auto', onBadRow: 'skip' })
    expect(await rejection(parts(source))).toMatchObject({
      code: 'bad_row',
      message: expect.stringContaining('has a line break in a field, so the file must not be read in parts'),
    })
  })
})
