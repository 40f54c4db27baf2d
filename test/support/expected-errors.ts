/**
 * Compares the errors of the compiler with the `// error: <part of the text>` comments of a fixture. The comment stands
 * at the end of the line with the error, or on lines of its own above it.
 */
import type { CompilerError } from './tsc.ts'

/** One sentence for each difference; empty when the compiler said what the fixture expects, and nothing else. */
export function compareErrors(fixture: string, errors: readonly CompilerError[]): readonly string[] {
  const expected = expectedErrors(fixture)
  const isExpected = ({ line, text }: CompilerError) =>
    expected.some((each) => each.line === line && text.includes(each.text))
  const wasReported = (each: { line: number; text: string }) =>
    errors.some(({ line, text }) => each.line === line && text.includes(each.text))
  return [
    ...(expected.length === 0 ? ['the fixture expects no error: add a comment "// error: <text>"'] : []),
    ...expected.filter((each) => !wasReported(each)).map(({ line, text }) => `line ${line} should say: ${text}`),
    ...errors.filter((each) => !isExpected(each)).map(({ line, text }) => `line ${line} says: ${text}`),
  ]
}

function expectedErrors(fixture: string): readonly { line: number; text: string }[] {
  const pending: string[] = []
  return fixture.split('\n').flatMap((content, index) => {
    const [, code, text] = /^(.*?)\/\/ error: (.*)$/.exec(content) ?? []
    if (text !== undefined) pending.push(text.trim())
    if (code?.trim() === '') return []
    return pending.splice(0).map((each) => ({ line: index + 1, text: each }))
  })
}
