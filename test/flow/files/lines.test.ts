import { writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { Flow, files } from 'sluice/flow'
import { fromIterable, stream } from 'sluice/stage'
import { describe, expect, it } from 'vitest'
import { inSimulation, rejection } from '../../support/flows.ts'
import { opened, tempFile, tempFolder } from '../../support/temp-folder.ts'

const linesOf = async (path: string, options = {}) => {
  const all: string[] = []
  for await (const line of files.lines(path, options)) all.push(line)
  return all
}

/** A line by its length and what is not one letter all along. */
const short = (line: string) => line.replace(/(.)\1+/g, (same, letter) => `${letter}*${same.length}`)

/** Lines of some bytes, more than fit into one piece. */
const many = Array.from({ length: 30_000 }, (_, index) => `line ${index} of the file`)

describe('the lines of a file', () => {
  it.each([
    ['nothing', '', []],
    ['one line', 'a\n', ['a']],
    ['a last line without a line break', 'a\nb', ['a', 'b']],
    ['empty lines', '\n\na\n\n', ['', '', 'a', '']],
    ['line breaks of Windows', 'a\r\nb\r\n\r\n', ['a', 'b', '']],
    ['both kinds of line breaks', 'a\r\nb\nc\r', ['a', 'b', 'c']],
    ['a carriage return within a line', 'a\rb\n', ['a\rb']],
    ['a byte order mark', '\uFEFFa\nb\n', ['a', 'b']],
    ['a byte order mark and nothing else', '\uFEFF', []],
    ['characters of several bytes', 'ä€\n😀\n', ['ä€', '😀']],
  ])('of %s', async (_what, content, expected) => {
    expect(await linesOf(tempFile(content))).toEqual(expected)
  })

  it('are those of the whole text, however they fall onto the pieces that are read', async () => {
    // Long enough to be cut by a piece of 128 KiB in different places of a line.
    const line = fc.string({ unit: fc.constantFrom('a', 'ä', '€', '😀', '\r'), maxLength: 20 })
    const text = fc.tuple(fc.integer({ min: 131_040, max: 131_075 }), fc.array(line), fc.constantFrom('\n', '\r\n'))
    await fc.assert(
      fc.asyncProperty(text, async ([length, lines, newline]) => {
        const content = ['x'.repeat(length), ...lines, 'y'.repeat(140_000), 'z'].join(newline)
        const path = tempFile(content)
        const expected = content.split('\n').map((each) => each.replace(/\r$/, ''))
        // Not the lines themselves: nobody can read the difference of two that are that long.
        expect((await linesOf(path)).map(short)).toEqual(expected.map(short))
      }),
      { numRuns: 50 },
    )
  })

  it('are unpacked when the name says so, or an option', async () => {
    const packed = gzipSync(many.join('\n'))
    expect(await linesOf(tempFile(packed, 'a.log.GZ'))).toEqual(many)
    expect(await linesOf(tempFile(packed, 'a.log'), { gzip: true })).toEqual(many)
    expect(await linesOf(tempFile('plain\n', 'a.gz'), { gzip: false })).toEqual(['plain'])
  })

  it('of files that were packed one by one and put together are all there', async () => {
    const both = Buffer.concat([gzipSync('a\nb'), gzipSync('c\nd\n')])
    expect(await linesOf(tempFile(both, 'a.gz'))).toEqual(['a', 'bc', 'd'])
  })

  it.each([
    ['latin1', Buffer.from('Zürich\nGenève\n', 'latin1'), ['Zürich', 'Genève']],
    ['windows-1252', Buffer.from([0x80, 10]), ['€']],
    ['utf-16le', Buffer.from('Zürich\n上\r\n', 'utf16le'), ['Zürich', '上']],
    ['utf-8', Buffer.from('\uFEFFZürich'), ['Zürich']],
  ])('may be encoded in %s', async (encoding, bytes, expected) => {
    expect(await linesOf(tempFile(bytes), { encoding })).toEqual(expected)
  })

  it('are found in UTF-16, of either kind, that a byte order mark announces', async () => {
    const text = Buffer.from('\uFEFFZürich\n上\n', 'utf16le')
    expect(await linesOf(tempFile(text))).toEqual(['Zürich', '上'])
    expect(await linesOf(tempFile(Buffer.from(text).swap16()))).toEqual(['Zürich', '上'])
  })

  it('have the replacement character for what is no text', async () => {
    expect(await linesOf(tempFile(Buffer.from([97, 0xff, 98, 10, 0xc3])))).toEqual(['a\uFFFDb', '\uFFFD'])
  })

  it('may be read from a file: URL', async () => {
    const path = tempFile('a\n', 'a name with spaces.txt')
    expect(await Flow.from(files.lines(pathToFileURL(path))).toArray()).toEqual(['a'])
  })

  it('come in arrays to who wants that', async () => {
    const path = tempFile(many.join('\n'))
    let arrays = 0
    const all: string[] = []
    for await (const lines of files.lines(path).batches()) {
      arrays++
      expect(lines.length).toBeGreaterThan(0)
      all.push(...lines)
    }
    expect(all).toEqual(many)
    expect(arrays).toBeLessThan(20)
  })

  it('are read anew each time, by loops and by flows', async () => {
    const path = tempFile('a\nb\n')
    const flow = Flow.from(files.lines(path)).map((line) => line.toUpperCase())
    expect(await flow.toArray()).toEqual(['A', 'B'])
    writeFileSync(path, 'c\n')
    expect(await flow.toArray()).toEqual(['C'])
    expect(await flow.count()).toBe(1)
  })

  it('keep their order through stages, and are all there, whatever is asked for at a time', async () => {
    const path = tempFile(many.join('\n'))
    for (const maxDemand of [1000, 7, 100_000]) {
      expect(
        await Flow.from(files.lines(path), { maxDemand })
          .map((line) => line)
          .toArray(),
      ).toEqual(many)
    }
    const producer = await fromIterable(files.lines(path))
    const seen: string[] = []
    for await (const line of stream({ to: producer, maxDemand: 3 })) seen.push(line)
    expect(seen).toEqual(many)
  })

  it('asked for by several at a time come in order, each once', async () => {
    const iterator = files.lines(tempFile('a\nb\nc'))[Symbol.asyncIterator]()
    const asked = await Promise.all([iterator.next(), iterator.next(), iterator.next(), iterator.next()])
    expect(asked.map(({ value }) => value)).toEqual(['a', 'b', 'c', undefined])
  })
})

describe('a file that is left', () => {
  it.each(['a.txt', 'a.gz'])('is closed: by a loop, by a flow, at its end (%s)', async (name) => {
    const text = Buffer.from(many.join('\n'))
    const path = tempFile(name.endsWith('gz') ? gzipSync(text) : text, name)
    for await (const line of files.lines(path)) {
      expect(opened(path)).toBe(1)
      if (line === many[10]) break
    }
    expect(opened(path)).toBe(0)
    expect(await Flow.from(files.lines(path)).take(3)).toEqual(many.slice(0, 3))
    expect(await Flow.from(files.lines(path)).count()).toBe(many.length)
    const failing = Flow.from(files.lines(path)).map(() => {
      throw new Error('no')
    })
    await inSimulation(async () => {
      await expect(failing.run()).rejects.toThrow('no')
    })
    // The flow does not wait for the system to close it.
    while (opened(path) > 0) await new Promise((resolve) => setImmediate(resolve))
  })
})

describe('a file that cannot be read', () => {
  it('is named: there is none', async () => {
    const path = tempFolder()('missing.txt')
    await expect(linesOf(path)).rejects.toThrow(`cannot read ${path}: there is no such file`)
    await inSimulation(async () => {
      const error = await rejection(Flow.from(files.lines(path)).toArray())
      expect(error).toMatchObject({ code: 'failed', cause: { code: 'bad_file', cause: { code: 'ENOENT' } } })
    })
  })

  it('is named: it is a directory', async () => {
    const path = tempFolder()('.')
    await expect(linesOf(path)).rejects.toThrow(`cannot read ${path}: it is a directory`)
  })

  it.each([
    ['no gzip', Buffer.from('just text\n'), 'it is damaged, or not compressed with gzip'],
    ['cut off', gzipSync(many.join('\n')).subarray(0, 5000), 'what is compressed in it ends too early'],
  ])('is named: %s', async (_what, content, problem) => {
    const path = tempFile(content, 'a.gz')
    await expect(linesOf(path)).rejects.toThrow(`cannot read ${path}: ${problem}`)
    expect(opened(path)).toBe(0)
  })

  it('is named: a line is longer than allowed; those before it are handed on', async () => {
    const path = tempFile(`a\nbcd\n${'x'.repeat(11)}\ne\n`)
    const seen: string[] = []
    await inSimulation(async () => {
      const reading = Flow.from(files.lines(path, { maxLineLength: 10 })).forEach((line) => void seen.push(line))
      await expect(reading).rejects.toThrow(`line 3 of ${path} is longer than 10 bytes`)
    })
    expect(seen).toEqual(['a', 'bcd'])
    expect(await linesOf(path, { maxLineLength: 11 })).toHaveLength(4)
  })

  it('is not read to its end when it has no line breaks', async () => {
    const path = tempFile('x'.repeat(5_000_000))
    await expect(linesOf(path, { maxLineLength: 1_000_000 })).rejects.toMatchObject({ code: 'line_too_long' })
    expect(await linesOf(path)).toHaveLength(1)
  })
})

describe('what is no file and no option', () => {
  it.each([
    [
      () => files.lines(''),
      "files.lines: expected the path of a file, a file: URL, or a range { path, start, end } of bytes, got ''",
    ],
    [() => files.lines(new URL('https://example.org/a')), 'files.lines: expected the path of a file'],
    [() => files.lines({ path: 'a', start: 5, end: 2 }), 'files.lines: expected the path of a file'],
    [() => files.lines('a', { gzip: 'yes' as never }), "gzip of files.lines: expected a boolean, got 'yes'"],
    [() => files.lines('a', { encoding: 'klingon' }), 'encoding of files.lines: expected the label of an encoding'],
    [() => files.lines('a', { maxLineLength: 0 }), 'maxLineLength of files.lines: expected a whole number >= 1, got 0'],
    [
      () => files.lines('a', { gzipped: true } as never),
      'files.lines has no option gzipped: did you mean gzip? Known are gzip, encoding, maxLineLength',
    ],
    [() => files.lines('a', 5 as never), 'files.lines: expected an object of options, got 5'],
  ])('is refused before anything starts: %s', (call, message) => {
    expect(call).toThrow(message)
    expect(call).toThrow(expect.objectContaining({ code: 'bad_options' }))
  })
})
