/** Who does not use worker threads does not load them. */

import { posix } from 'node:path'
import { expect, it } from 'vitest'
import { readSourceTree } from '../support/source-tree.ts'

/** What a file imports when it is loaded; types and `import()` are not. */
const STATIC = /^(?:import|export)\s+(?!type\b)(?:[^'"]*\sfrom\s+)?'([^']+)'/gm

function loadedFrom(entry: string): ReadonlySet<string> {
  const tree = readSourceTree('src')
  const loaded = new Set<string>()
  const load = (path: string): void => {
    if (loaded.has(path)) return
    loaded.add(path)
    for (const [, specifier = ''] of (tree.get(path) ?? '').matchAll(STATIC)) {
      load(specifier.startsWith('.') ? posix.join(posix.dirname(path), specifier) : specifier)
    }
  }
  load(entry)
  return loaded
}

it('the main entry does not load them', () => {
  const loaded = loadedFrom('index.ts')
  expect(loaded).toContain('broadway/topology/worker-handling.ts')
  expect([...loaded]).not.toContain('node:worker_threads')
})

it('the entry of workers does', () => {
  expect([...loadedFrom('worker/index.ts')]).toContain('node:worker_threads')
})
