import { truncateSync, writeFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { type FileRange, Flow, files } from 'sluice/flow'
import { describe, expect, it } from 'vitest'
import { opened, tempFile, tempFolder } from '../../support/temp-folder.ts'

const linesOf = async (file: string | FileRange) => {
  const all: string[] = []
  for await (const batch of files.lines(file).batches()) all.push(...batch)
  return all
}

const text = (lines: readonly string[], newline: string, last: string) => lines.join(newline) + last

const plain = Array.from({ length: 60 }, (_, index) => `line ${index}`)
const contents = {
  'with a final line break': text(plain, '\n', '\n'),
  'without one': text(plain, '\n', ''),
  'with the line breaks of Windows': text(plain, '\r\n', '\r\n'),
  'with empty lines': text(['', '', 'a', '', '', '', 'b', ''], '\n', '\n\n'),
  'with nothing but line breaks': '\n'.repeat(100),
  'with a line that is longer than most ranges': text(['a', 'b'.repeat(200), 'c', 'd'], '\n', '\n'),
  'with a last line that is': text(['a', 'b', 'c'.repeat(200)], '\n', ''),
  'with characters of several bytes': text(['ä€😀', '上海', '', 'é'.repeat(40), '😀'], '\n', '\n'),
  'with a byte order mark': `\uFEFF${text(plain, '\n', '\n')}`,
  'with nothing in it': '',
}

describe('F213 ranges of a file', () => {
  it.each(Object.entries(contents))(
    '%s have the lines of the file, each once, however many there are',
    async (_what, content) => {
      const path = tempFile(content)
      const { length: size } = Buffer.from(content)
      const expected = await linesOf(path)
      for (let count = 1; count <= 64; count++) {
        const ranges = await files.ranges(path, { count, minBytes: 1 })
        expect(ranges.length).toBeLessThanOrEqual(count)
        // Without a gap.
        expect(ranges.map(({ start }) => start)).toEqual([0, ...ranges.slice(0, -1).map(({ end }) => end)])
        expect(ranges.at(-1)?.end).toBe(size)
        const parts = await Promise.all(ranges.map(linesOf))
        expect(parts.flat()).toEqual(expected)
        if (ranges.length > 1) for (const part of parts) expect(part).not.toHaveLength(0)
      }
    },
  )

  it('are as many as were asked for, and about equal, where lines are short', async () => {
    const path = tempFile(text(plain, '\n', '\n'))
    const ranges = await files.ranges(path, { count: 4, minBytes: 1 })
    expect(ranges).toHaveLength(4)
    for (const { start, end } of ranges) expect(Math.abs(end - start - 470 / 4)).toBeLessThan(10)
  })

  it('find the end of a line far behind the cut', async () => {
    const path = tempFile(`a\n${'b'.repeat(1_000_000)}\nc\n`)
    const ranges = await files.ranges(path, { count: 2, minBytes: 1 })
    expect(ranges.map(({ start }) => start)).toEqual([0, 1_000_003])
  })
})

describe('ranges', () => {
  it('are plain data', async () => {
    const path = tempFile('a\nb\n')
    const ranges = await files.ranges(path, { count: 2, minBytes: 1 })
    expect(ranges).toStrictEqual([
      { path, start: 0, end: 2 },
      { path, start: 2, end: 4 },
    ])
    expect(await linesOf(structuredClone(ranges[1]!))).toEqual(['b'])
  })

  it('are read by a flow at the same time, each by a producer of its own', async () => {
    const path = tempFile(text(plain, '\n', '\n'))
    const ranges = await files.ranges(path, { count: 8, minBytes: 1 })
    const flow = Flow.fromAll(ranges.map((range) => files.lines(range)))
    expect((await flow.map((line) => line).toArray()).sort()).toEqual([...plain].sort())
    expect(opened(path)).toBe(0)
  })

  it('are not smaller than told; by default a small file is one', async () => {
    const path = tempFile('a\n'.repeat(50))
    expect(await files.ranges(path)).toStrictEqual([{ path, start: 0, end: 100 }])
    expect(await files.ranges(path, { count: 64, minBytes: 30 })).toHaveLength(3)
  })

  it('are several of a large file', async () => {
    const path = tempFile('')
    truncateSync(path, 64 * 1024 * 1024)
    // Not a line break in it.
    expect(await files.ranges(path, { count: 4 })).toHaveLength(1)
    writeFileSync(path, 'a line of some length\n'.repeat(800_000))
    expect(await files.ranges(path, { count: 4 })).toHaveLength(4)
  })

  it('are one of what cannot be cut: compressed, or UTF-16', async () => {
    const packed = tempFile(gzipSync(text(plain, '\n', '\n')), 'a.gz')
    const one = await files.ranges(packed, { minBytes: 1 })
    expect(one).toHaveLength(1)
    expect(await linesOf(one[0]!)).toEqual(plain)
    const wide = tempFile(Buffer.from(`\uFEFF${plain.join('\n')}`, 'utf16le'))
    expect(await files.ranges(wide, { minBytes: 1 })).toHaveLength(1)
    expect(await files.ranges(tempFile('a\nb\n'), { minBytes: 1, encoding: 'utf-16le' })).toHaveLength(1)
  })

  it('say which file is missing, and which option is wrong', async () => {
    const path = tempFolder()('missing.txt')
    await expect(files.ranges(path)).rejects.toThrow(`cannot read ${path}: there is no such file`)
    await expect(files.ranges(path, { count: 0 })).rejects.toThrow(
      'count of files.ranges: expected a whole number >= 1, got 0',
    )
    await expect(files.ranges(path, { minBytes: 0.5 })).rejects.toThrow(
      'minBytes of files.ranges: expected a whole number >= 1, got 0.5',
    )
    await expect(files.ranges(path, { parts: 4 } as never)).rejects.toThrow('files.ranges has no option parts')
  })

  it('count lines from their first byte', async () => {
    const path = tempFile('a\nb\ncccc\n')
    const reading = linesOf({ path, start: 2, end: 9 })
    expect(await reading).toEqual(['b', 'cccc'])
    const short = async () => {
      for await (const _ of files.lines({ path, start: 2, end: 9 }, { maxLineLength: 3 }).batches());
    }
    await expect(short()).rejects.toThrow(`line 2 of ${path}, counted from byte 2, is longer than 3 bytes`)
  })
})
