/** Which file a worker loads, and what it needs to load it. */

import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { extname } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { WorkerError } from './errors.ts'

/** Sources and what they are built to: a program says `./parse.js`, and in development that is `./parse.ts`. */
const sameModule: Readonly<Record<string, string>> = { '.js': '.ts', '.mjs': '.mts', '.ts': '.js', '.mts': '.mjs' }

/**
 * The URL of the file that a worker is to load.
 *
 * @throws `WorkerError` `bad_module` when there is no such file.
 */
export function moduleFile(module: string | URL): string {
  const url = parse(module)
  if (url === undefined) {
    const text = `expected the URL of a module, got ${String(module)}: write import.meta.resolve('./module.js')`
    throw new WorkerError('bad_module', text)
  }
  if (url.protocol !== 'file:') return url.href
  const path = fileURLToPath(url)
  if (existsSync(path)) return url.href
  const extension = extname(path)
  const other = path.slice(0, path.length - extension.length) + (sameModule[extension] ?? extension)
  if (other !== path && existsSync(other)) return pathToFileURL(other).href
  const looked = other === path ? path : `${path}, nor ${other}`
  throw new WorkerError('bad_module', `there is no module ${looked}`)
}

function parse(module: string | URL): URL | undefined {
  if (module instanceof URL) return module
  return typeof module === 'string' && URL.canParse(module) ? new URL(module) : undefined
}

/** It is written in TypeScript. */
function isTypeScript(url: string): boolean {
  return /\.m?ts$/.test(url)
}

/** The thread's own entry, of the same kind as this file: a source, or built. */
export const entryFile: string = new URL(`./entry${extname(import.meta.url)}`, import.meta.url).href

/**
 * The file that teaches a worker of this Node to load TypeScript, when it has to be taught: a worker does not inherit what its
 * parent was taught. `undefined` where it is not installed, then loading fails with a text that says so.
 */
export function typeScriptLoader(url: string): string | undefined {
  if (!isTypeScript(url) && !isTypeScript(entryFile)) return undefined
  // Node can do it itself; for our own sources it would mix up sources and build.
  if (!isTypeScript(entryFile) && Reflect.get(process.features, 'typescript')) return undefined
  for (const from of [url, import.meta.url]) {
    try {
      const tsx = createRequire(from).resolve('tsx/package.json')
      const { exports }: TsxPackage = createRequire(from)(tsx)
      return new URL(exports['./esm/api'].import.default, pathToFileURL(tsx)).href
    } catch {
      // Maybe the other one has it.
    }
  }
  return undefined
}

/** As much of its package.json as is needed: what it gives to `require` cannot be used by a worker that has no file. */
interface TsxPackage {
  readonly exports: { readonly './esm/api': { readonly import: { readonly default: string } } }
}
