import { readdirSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { describe, expect, it } from 'vitest'
import { compareErrors } from './support/expected-errors.ts'
import { compile } from './support/tsc.ts'

const folder = 'test-d/errors'
const fixtures = readdirSync(folder).filter((name) => name.endsWith('.ts'))
const errors = await compile(folder)

describe('type errors read like sentences', () => {
  it.each(fixtures)('%s', (name) => {
    const own = errors.filter(({ file }) => basename(file) === name)
    expect(compareErrors(readFileSync(`${folder}/${name}`, 'utf8'), own)).toEqual([])
  })

  it('and none stands outside the fixtures', () => {
    expect(errors.filter(({ file }) => !fixtures.includes(basename(file)))).toEqual([])
  })
})

describe('the comparison with a fixture', () => {
  const error = { file: 'a.ts', line: 2, text: "TS2322: Type 'string' is not\n  a number" }

  it('accepts the text at the end of the line or above it, continuation lines too', () => {
    expect(compareErrors('\nbad() // error: is not', [error])).toEqual([])
    expect(compareErrors('// error: a number\nbad()', [error])).toEqual([])
  })

  it('reports another text, an unexpected error, and a fixture that expects nothing', () => {
    expect(compareErrors('\nbad() // error: cannot be', [error])).toEqual([
      'line 2 should say: cannot be',
      `line 2 says: ${error.text}`,
    ])
    expect(compareErrors('// error: is not\n\nbad()', [])).toEqual(['line 2 should say: is not'])
    expect(compareErrors('fine()', [])).toEqual(['the fixture expects no error: add a comment "// error: <text>"'])
  })
})
