/**
 * The TypeScript of the documentation: every `ts` block is compiled against the sources, and those marked `ts run` are
 * run as well.
 */
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import MarkdownIt from 'markdown-it'
import { NODE_FLAGS } from './node-flags.ts'
import { type CompilerError, compile } from './tsc.ts'

export interface Snippet {
  /** `README.md:12`, the line of the opening fence. */
  readonly where: string
  readonly runs: boolean
  /** Path of the extracted file, relative to the repository. */
  readonly file: string
}

/** README.md and everything in docs/, as path -> text. */
export function readDocs(): ReadonlyMap<string, string> {
  const inDocs = existsSync('docs') ? readdirSync('docs', { recursive: true, encoding: 'utf8' }) : []
  const paths = ['README.md', ...inDocs.map((path) => posix.join('docs', path.replaceAll('\\', '/')))]
  const pages = paths.filter((path) => path.endsWith('.md') && !path.includes('node_modules') && existsSync(path))
  return new Map(pages.map((path) => [path, readFileSync(path, 'utf8')]))
}

/** Writes the blocks as modules to `.snippets/<name>`. It lies in the repository so that packages are found. */
export function extractSnippets(name: string, pages: ReadonlyMap<string, string>): readonly Snippet[] {
  const folder = posix.join('.snippets', name)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  // The sources belong to it, or the runner would not apply the options to them (class fields!).
  const include = ['.', '../../src']
  const config = { extends: '../../tsconfig.json', compilerOptions: { noUnusedLocals: false }, include }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config))

  return [...pages].flatMap(([page, text]) =>
    new MarkdownIt().parse(text, {}).flatMap(({ type, info, map, content }) => {
      const [language, ...flags] = info.trim().split(/\s+/)
      if (type !== 'fence' || language !== 'ts' || !map) return []
      const line = map[0] + 1
      const file = posix.join(folder, `${page.replaceAll('/', '__')}.${line}.ts`)
      // Blank lines up to the block, so that an error names its line in the page.
      writeFileSync(file, '\n'.repeat(line) + content)
      return [{ where: `${page}:${line}`, runs: flags.includes('run'), file }]
    }),
  )
}

/** The errors of all snippets, each with its place in the page. */
export async function compileSnippets(name: string, snippets: readonly Snippet[]): Promise<readonly string[]> {
  if (snippets.length === 0) return []
  const place = ({ file, line }: CompilerError) => {
    const snippet = snippets.find((each) => each.file === file)
    return `${snippet ? snippet.where.replace(/:\d+$/, '') : file}:${line}`
  }
  return (await compile(posix.join('.snippets', name))).map((error) => `${place(error)} ${error.text}`)
}

/** What a snippet printed; rejects with that when it fails or is not done in time. */
export function runSnippet({ where, file }: Snippet, { timeout }: { readonly timeout: number }): Promise<string> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, TSX_TSCONFIG_PATH: posix.join(posix.dirname(file), 'tsconfig.json') }
    const options = { env, timeout, killSignal: 'SIGKILL' } as const
    execFile(process.execPath, [...NODE_FLAGS, file], options, (failure, output, errors) => {
      if (!failure) resolve(output)
      else
        reject(
          new Error(`${where} ${failure.killed ? `is not done after ${timeout} ms` : 'fails'}\n${output}${errors}`),
        )
    })
  })
}
