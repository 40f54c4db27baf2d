/** The declarations of the package, as the compiler of somebody sees them who does not skip those of libraries. Needs a build. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { compile } from './support/tsc.ts'

it('the declarations of every import of the package are without errors', async () => {
  const { exports } = JSON.parse(readFileSync('package.json', 'utf8'))
  const types = Object.values(exports).flatMap((target) => Object(target).types ?? [])
  const folder = '.snippets/declarations'
  mkdirSync(folder, { recursive: true })
  const compilerOptions = { skipLibCheck: false, paths: {} }
  const files = types.map((file) => `../../${file}`)
  writeFileSync(`${folder}/tsconfig.json`, JSON.stringify({ extends: '../../tsconfig.json', compilerOptions, files }))
  expect(types.length).toBeGreaterThan(10)
  // Those of clients are their own business.
  expect((await compile(folder)).filter(({ file }) => file.startsWith('dist/'))).toEqual([])
})
