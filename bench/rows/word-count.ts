import { once } from 'node:events'
import { createWriteStream, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runFlow } from 'sluice/flow'
import { Workers } from 'sluice/worker'
import { wordCount } from '../flows/word-count.ts'
import { type Row, rate } from '../row.ts'

const LINES = 4_100_000
const WORDS_A_LINE = 10
const DISTINCT = 7_373

let file: Promise<string> | undefined

/** 200 MB of text, the same at each call: short words are frequent, as in texts. */
function textFile(): Promise<string> {
  file ??= written()
  return file
}

async function written(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-words-'))
  process.on('exit', () => rmSync(folder, { recursive: true }))
  const path = join(folder, 'text.txt')
  const stream = createWriteStream(path)
  let random = 1
  for (let line = 0; line < LINES; line += 1000) {
    let text = ''
    for (let more = 0; more < 1000; more++) {
      for (let word = 0; word < WORDS_A_LINE; word++) {
        random = (Math.imul(random, 1103515245) + 12345) & 0x7fffffff
        const share = random / 0x80000000
        text += `${word === 0 ? '' : ' '}${Math.floor(share * share * DISTINCT).toString(36)}x`
      }
      text += '\n'
    }
    if (!stream.write(text)) await once(stream, 'drain')
  }
  stream.end()
  await once(stream, 'finish')
  return path
}

const measure = (workers: Workers | undefined) => async (): Promise<number> => {
  const path = await textFile()
  return await rate(LINES * WORDS_A_LINE, async () => {
    const counts = await runFlow(wordCount, { path }, { workers })
    return counts.length === DISTINCT ? counts.reduce((sum, [, count]) => sum + count, 0) : 0
  })
}

const row = (size: number, goal: number | null): Row => {
  const workers = size === 1 ? '1 worker' : `${size} workers`
  return {
    id: `word-count-${workers.replace(' ', '-')}`,
    work: `count the words of ${LINES / 1e6} M lines, read in parts by ${workers}, warm`,
    unit: 'words a second',
    ours: { name: `sluice, ${workers}`, measure: measure(new Workers({ size })) },
    peers: [{ name: 'sluice, the same flow in one thread', goal, measure: measure(undefined) }],
  }
}

export const wordCount1Worker: Row = row(1, null)
export const wordCount2Workers: Row = row(2, 1.8)
export const wordCount4Workers: Row = row(4, null)
