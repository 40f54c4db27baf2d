import { readFileSync } from 'node:fs'
import { Flow, files, runFlow, Window } from 'sluice/flow'
import { Workers } from 'sluice/worker'
import { afterAll, describe, expect, it } from 'vitest'
import { notCloneableLast } from '../../support/flow-modules/broken.ts'
import { lineCounts, slowLines } from '../../support/flow-modules/lines.ts'
import { flows, scenario } from '../../support/flow-modules/scenarios.ts'
import { tempFile } from '../../support/temp-folder.ts'

const workers = new Workers({ size: 2 })
afterAll(() => workers.stop())

const inOrder = (events: readonly unknown[]) => events.map((event) => JSON.stringify(event)).sort()

const src = Flow.from([1]).reduce(
  () => 0,
  (n) => n,
)
const methodsOf = (type: object) =>
  Object.getOwnPropertyNames(type).filter((name) => !['length', 'name', 'prototype'].includes(name))
/** What makes a flow run, and what is refused (see failures.test.ts). */
const elsewhere = [
  ...['child', 'constructor', 'count', 'first', 'forEach', 'includes', 'intoSpecs', 'intoStages', 'reduceAll', 'run'],
  ...['start', 'stream', 'take', 'toArray', 'toMap'],
  ...['fromSpecs', 'fromStages', 'throughSpecs', 'throughStages', 'withProgress'],
]

describe('F209 a flow in two workers gives what it gives in one thread', () => {
  it.each(Object.keys(flows))('%s', async (name) => {
    const expected = inOrder(await runFlow(scenario, { name }))
    expect(inOrder(await runFlow(scenario, { name }, { workers }))).toEqual(expected)
  })

  it('so does every operation and every window that there is', () => {
    const text = ['scenarios', 'lines']
      .map((name) => readFileSync(new URL(`../../support/flow-modules/${name}.ts`, import.meta.url), 'utf8'))
      .join('\n')
    const prototypes = [Flow.prototype, Object.getPrototypeOf(src.emit('state')), Object.getPrototypeOf(Flow.prototype)]
    const methods = [...prototypes.flatMap(Object.getOwnPropertyNames), ...methodsOf(Flow)]
    const unused = (names: readonly string[]) =>
      [...new Set(names)].filter((name) => !new RegExp(`\\.${name}[<(]`).test(text))
    expect(unused(methods).filter((name) => !elsewhere.includes(name))).toEqual([])
    // Time does not pass the same way twice.
    expect(unused(methodsOf(Window)).toSorted()).toEqual(['of'])
  })

  it('whatever makes it run', async () => {
    const flow = scenario.flow({ name: 'F83' })
    expect(await flow.count({ workers })).toBe(4)
    expect(await flow.includes(18, { workers })).toBe(true)
    expect(await flow.reduceAll(0, (event, sum) => sum + Number(event), { workers })).toBe(55)
    const all: unknown[] = []
    for await (const event of flow.stream({ workers })) all.push(event)
    expect(all.toSorted()).toEqual([10, 12, 15, 18])
    expect(await flow.first({ workers })).toBeGreaterThan(9)
    expect(await flow.run({ workers })).toBeUndefined()
  })

  it('and is counted there: what cannot be sent need not be', async () => {
    expect(await notCloneableLast.flow().count({ workers })).toBe(1)
    expect(await scenario.flow({ name: 'F11' }).count({ workers })).toBe(6)
  })

  it('also in other numbers of workers, started for it', async () => {
    expect(inOrder(await runFlow(scenario, { name: 'F96' }, { workers: 1 }))).toEqual(
      inOrder(await runFlow(scenario, { name: 'F96' })),
    )
  })
})

describe('a file in workers', () => {
  const lines = Array.from({ length: 5000 }, (_, index) => `line ${index % 13} ä€`)

  it.each([1, 2, 7, 40])('is read in %i parts, each line once', async (splits) => {
    const path = tempFile(`${lines.join('\n')}\n`)
    const expected = new Map(await Flow.from(files.lines(path)).countBy().toArray())
    expect(new Map(await runFlow(lineCounts, { path, splits }, { workers }))).toEqual(expected)
    expect((await runFlow(slowLines, { path, splits }, { workers })).map(({ line }) => line).toSorted()).toEqual(
      lines.toSorted(),
    )
  })

  it('is read by all of them, in parts that they take as they are done', async () => {
    const path = tempFile(`${lines.join('\n')}\n`)
    const read = await runFlow(slowLines, { path, splits: 40 }, { workers })
    expect(new Set(read.map(({ thread }) => thread)).size).toBe(2)
    expect(read.every(({ thread }) => thread !== 0)).toBe(true)
  })

  it('with no operations gives its lines', async () => {
    const path = tempFile('a\nb\n')
    expect((await runFlow(scenario, { name: 'F11' }, { workers })).length).toBe(6)
    const { linesOnly } = await import('../../support/flow-modules/lines.ts')
    expect((await runFlow(linesOnly, { path }, { workers })).toSorted()).toEqual(['a', 'b'])
  })
})
