import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

const script = fileURLToPath(new URL('../support/million.ts', import.meta.url))

it('starts, calls and stops a million servers in one process of 4 GB', async () => {
  const args = ['--max-old-space-size=4096', '--import', 'tsx', script]
  const { stdout } = await promisify(execFile)(process.execPath, args)
  expect(JSON.parse(stdout)).toEqual({ wrong: 0, alive: 0 })
})
