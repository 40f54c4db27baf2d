import { describe, expect, it } from 'vitest'
import { compileSnippets, extractSnippets, readDocs, runSnippet } from './support/snippets.ts'

const timeout = 120_000
const page = (...blocks: string[]) => new Map([['docs/guide.md', `# Guide\n\n${blocks.join('\n\n')}\n`]])
const block = (info: string, ...lines: string[]) => `\`\`\`${info}\n${lines.join('\n')}\n\`\`\``

describe('the documentation', () => {
  const snippets = extractSnippets('docs', readDocs())
  const running = snippets.filter(({ runs }) => runs)

  it('compiles', async () => {
    expect(await compileSnippets('docs', snippets)).toEqual([])
  })

  it.each(running)('runs: $where', async (snippet) => {
    await runSnippet(snippet, { timeout })
  })
})

describe('the check of the documentation', () => {
  it('finds the TypeScript blocks, in lists too, and leaves the others alone', () => {
    const list = `- see\n\n  ${block('ts run', 'export {}').replaceAll('\n', '\n  ')}`
    const snippets = extractSnippets('found', page(block('sh', 'ls'), block('ts', 'export {}'), list))
    expect(snippets.map(({ where, runs }) => ({ where, runs }))).toEqual([
      { where: 'docs/guide.md:7', runs: false },
      { where: 'docs/guide.md:13', runs: true },
    ])
  })

  it('names the line of a type error in the page', async () => {
    const snippets = extractSnippets('wrong', page(block('ts', 'const fine = 1', `const bad: number = 'a'`)))
    expect(await compileSnippets('wrong', snippets)).toEqual([
      "docs/guide.md:5 TS2322: Type 'string' is not assignable to type 'number'.",
    ])
  })

  it('sees the package by its name', async () => {
    const snippets = extractSnippets('named', page(block('ts', `import { noSuchName } from 'sluice'`)))
    expect(await compileSnippets('named', snippets)).toEqual([
      expect.stringMatching(/^docs\/guide\.md:4 TS2305: .* has no exported member 'noSuchName'/),
    ])
  })

  it('reports a run that fails and one that does not end', async () => {
    const blocks = [
      block('ts run', `import * as sluice from 'sluice'`, 'console.log(typeof sluice)'),
      block('ts run', `throw new Error('planted')`),
      block('ts run', 'setInterval(() => {}, 1_000)'),
    ]
    const [fine, fails, hangs] = extractSnippets('run', page(...blocks))
    if (!fine || !fails || !hangs) throw new Error('three blocks give three snippets')
    expect(await runSnippet(fine, { timeout })).toBe('object\n')
    await expect(runSnippet(fails, { timeout })).rejects.toThrow(/docs\/guide\.md:8 fails[\s\S]*planted/)
    await expect(runSnippet(hangs, { timeout: 1 })).rejects.toThrow('docs/guide.md:12 is not done after 1 ms')
  })
})
