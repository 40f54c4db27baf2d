import { type BadRow, Flow, files, type JsonLinesOptions } from 'sluice/flow'
import { describe, expect, it } from 'vitest'
import { tempFile } from '../../support/temp-folder.ts'

async function read(content: string, options: JsonLinesOptions = {}) {
  const values: unknown[] = []
  for await (const value of files.jsonLines(tempFile(content), options)) values.push(value)
  return values
}

describe('JSON in lines', () => {
  it.each<[what: string, content: string, values: unknown[]]>([
    ['is read value by value', '{"a":1}\n[2]\n"three"\nnull\n', [{ a: 1 }, [2], 'three', null]],
    ['may have empty lines and the line breaks of Windows', '\uFEFF1\r\n\r\n \n2', [1, 2]],
    ['may be nothing', '', []],
  ])('%s', async (_what, content, values) => {
    expect(await read(content)).toEqual(values)
  })

  it('is read by a flow, range by range', async () => {
    const path = tempFile(Array.from({ length: 1000 }, (_, id) => JSON.stringify({ id })).join('\n'))
    const ranges = await files.ranges(path, { count: 4, minBytes: 1 })
    const flow = Flow.fromAll(ranges.map((range) => files.jsonLines<{ id: number }>(range))).map(({ id }) => id)
    expect((await flow.toArray()).sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, id) => id))
  })

  it('that is none fails the reading, which names the line, behind what came before', async () => {
    const path = tempFile('{"a":1}\n\n{"a":\n{"a":3}\n')
    const seen: unknown[] = []
    const reading = async () => {
      for await (const value of files.jsonLines(path)) seen.push(value)
    }
    await expect(reading()).rejects.toThrow(`line 3 of ${path} is no JSON, Unexpected end of JSON input: '{"a":'`)
    await expect(reading()).rejects.toMatchObject({ code: 'bad_row', cause: expect.any(SyntaxError) })
    expect(seen).toEqual([{ a: 1 }, { a: 1 }])
  })

  it('that is none is left out, or collected', async () => {
    const content = '1\nno\n2\n{\n3\n'
    expect(await read(content, { onBadRow: 'skip' })).toEqual([1, 2, 3])
    const collected: BadRow[] = []
    expect(await read(content, { onBadRow: (row) => void collected.push(row) })).toEqual([1, 2, 3])
    expect(collected).toMatchObject([
      { line: 2, text: 'no' },
      { line: 4, text: '{' },
    ])
  })

  it('is not asked for with options that it has not', () => {
    expect(() => files.jsonLines('a', { columns: ['a'] } as never)).toThrow('files.jsonLines has no option columns')
    expect(() => files.jsonLines('a', { onBadRow: 5 as never })).toThrow('onBadRow of files.jsonLines: expected')
  })
})
