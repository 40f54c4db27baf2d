/** Real files for tests, in a folder that is removed behind each of them. */

import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

/** Makes a folder for this test; gives the path of a name in it. */
export function tempFolder(): (name: string) => string {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return (name) => join(folder, name)
}

/** Writes a file for this test, and gives its path. */
export function tempFile(content: string | Uint8Array, name = 'file.txt'): string {
  const path = tempFolder()(name)
  writeFileSync(path, content)
  return path
}

/** How many descriptors of this program are open on a file. */
export function opened(path: string): number {
  return readdirSync('/proc/self/fd').filter((fd) => targetOf(fd) === path).length
}

/** How far this program has read a file that it has open. */
export function positionIn(path: string): number | undefined {
  const fd = readdirSync('/proc/self/fd').find((each) => targetOf(each) === path)
  if (fd === undefined) return undefined
  return Number(/pos:\s*(\d+)/.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1])
}

function targetOf(fd: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`)
  } catch {
    return '' // Closed meanwhile.
  }
}
