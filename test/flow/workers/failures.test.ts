import { defineFlow, Flow, FlowError, runFlow } from 'sluice/flow'
import { Workers } from 'sluice/worker'
import { afterAll, describe, expect, it } from 'vitest'
import * as broken from '../../support/flow-modules/broken.ts'
import { three } from '../../support/flow-modules/counts.ts'
import { rejection } from '../../support/flows.ts'

const workers = new Workers({ size: 2 })
afterAll(() => workers.stop())

/** A failure leaves the workers ready for the next flow. */
const stillWork = async (pool: Workers = workers) =>
  expect(await runFlow(three, undefined, { workers: pool })).toEqual([10, 20, 30])

describe('F210 a module that defines another flow in a worker', () => {
  it.each([
    ['operations', broken.otherOperations, /step 1, operation 2, filter \(of 1\), exists in worker 0 only/],
    [
      'kind of operation',
      broken.otherKind,
      /step 1, operation 1 is map \(of 1\) in the program, and filter \(of 1\) in worker 0/,
    ],
    [
      'function',
      broken.otherFunction,
      /a function of step 1, operation 1, map \(of 1\), has another text in worker 0 than in worker 1/,
    ],
    ['option', broken.otherOption, /partitions: 2, .* in the program, and .*partitions: 3.* in worker 0/],
  ])('is refused, naming the first difference: another %s', async (_what, module, difference) => {
    const error = await rejection(runFlow(module, undefined, { workers }))
    expect(error).toBeInstanceOf(FlowError)
    expect(error).toMatchObject({ code: 'different_module', message: expect.stringMatching(difference) })
    expect(error).toMatchObject({ message: expect.stringMatching(/broken\.ts defines another flow in each thread/) })
    await stillWork()
  })

  it('is refused where it is not defined there at all', async () => {
    const error = await rejection(runFlow(broken.late(), undefined, { workers }))
    expect(error).toMatchObject({ message: expect.stringContaining('call defineFlow at the top level of the module') })
    await stillWork()
  })
})

describe('F211 an event that cannot be sent to another thread', () => {
  it.each([
    ['step 1 (flatMap)', broken.notCloneable],
    ['step 1 (map)', broken.notCloneableLast],
    ['source 1', broken.notCloneableSource],
  ])('fails the flow with an error that names where it came from: %s', async (where, module) => {
    const error = await rejection(runFlow<unknown>(module, undefined, { workers }))
    expect(error).toBeInstanceOf(FlowError)
    expect(error).toMatchObject({
      code: 'failed',
      cause: {
        name: 'FlowError',
        code: 'bad_return',
        message: expect.stringContaining(`${where} emits an event that cannot be sent to another thread`),
        cause: { code: 'not_cloneable', message: expect.stringContaining('function') },
      },
    })
    await stillWork()
  })
})

describe('F212 a failure in a worker', () => {
  it('of a callback rejects with its error, and everything is stopped', async () => {
    const error = await rejection(runFlow(broken.failing, undefined, { workers }))
    expect(error).toMatchObject({
      code: 'failed',
      cause: { name: 'RangeError', message: 'on purpose, in a worker', stack: expect.stringContaining('broken.ts') },
    })
    await stillWork()
  })

  it('that ends it rejects, in a loop too, and the other worker goes on with the next flow', async () => {
    const pool = new Workers({ size: 2 })
    const error = await rejection(runFlow(broken.exiting, undefined, { workers: pool }))
    expect(error).toMatchObject({
      code: 'failed',
      cause: {
        code: 'exited',
        message: expect.stringContaining('has ended with code 3: process.exit was called in it'),
      },
    })
    await stillWork(pool)
    const reading = async () => {
      for await (const _ of broken.exiting.flow().stream({ workers: pool }));
    }
    expect(await rejection(reading())).toMatchObject({ code: 'failed', cause: { code: 'exited' } })
    await pool.stop()
  })

  it('that uses up its memory rejects', async () => {
    const pool = new Workers({ size: 2, resourceLimits: { maxOldGenerationSizeMb: 64 } })
    const error = await rejection(runFlow(broken.hungry, undefined, { workers: pool }))
    expect(error).toMatchObject({ code: 'failed', cause: { code: 'out_of_memory' } })
    await pool.stop()
  })

  it('that never ends stops with its signal', async () => {
    const stop = new AbortController()
    const seen: number[] = []
    const done = broken.withoutEnd.flow().forEach(
      (n) => {
        seen.push(n)
        if (seen.length === 100) stop.abort(new Error('enough'))
      },
      { workers, signal: stop.signal },
    )
    expect(await rejection(done)).toMatchObject({ message: 'enough' })
    expect(await broken.withoutEnd.flow().take(5, { workers })).toHaveLength(5)
    await stillWork()
  })
})

describe('workers', () => {
  const own = defineFlow(import.meta, () => Flow.from([1]).map((n) => n))

  it('are refused for a flow of plain functions, with what to do', async () => {
    const flows = [
      Flow.from([1]).map((n) => n),
      own
        .flow()
        .shuffle()
        .map((n) => n),
    ]
    for (const flow of flows) {
      for (const run of [
        () => flow.toArray({ workers }),
        () => flow.first({ workers }),
        () => flow.run({ workers: 2 }),
      ]) {
        expect(await rejection(run())).toMatchObject({
          code: 'bad_flow',
          message: expect.stringContaining(
            'Make it a function of a module, export const counts = defineFlow(import.meta',
          ),
        })
      }
    }
  })

  it.each([
    ['producers of the program', broken.ofProducers, 'stages of the program (fromSpecs)'],
    ['producers that run', broken.behindProducers, 'stages of the program (fromStages)'],
    ['stages that run in the middle', broken.throughRunning, 'stages of the program (throughStages or throughSpecs)'],
    ['stages in the middle', broken.throughOwn, 'stages of the program (throughStages or throughSpecs)'],
    ['progress', broken.watched, 'takes no withProgress'],
  ])('are refused for a flow with %s', async (_what, module, message) => {
    expect(await rejection(runFlow<unknown>(module, undefined, { workers }))).toMatchObject({
      code: 'bad_flow',
      message: expect.stringContaining(message),
    })
  })

  it.each([0, 1.5, 'two', null, {}])('cannot be %s', async (wrong) => {
    expect(await rejection(own.flow().toArray({ workers: wrong as never }))).toMatchObject({
      code: 'bad_options',
      message: expect.stringMatching(/^workers of toArray: expected how many, a whole number >= 1, or new Workers/),
    })
  })
})
