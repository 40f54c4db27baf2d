import { PassThrough } from 'node:stream'
import { gzipSync } from 'node:zlib'
import { type BatchSource, child, RateLimiter, start } from 'sluice'
import { Flow, files, Progress, type ProgressReport, range, showProgress } from 'sluice/flow'
import { describe, expect, it } from 'vitest'
import { Manual } from '../support/flow-stages.ts'
import { inSimulation, numbers } from '../support/flows.ts'
import { tempFile } from '../support/temp-folder.ts'

/** Ten events a second. */
const slowly = () => [
  { child: child(RateLimiter<number>, { arg: { limit: 10, interval: 1000 } }), maxDemand: 10, minDemand: 0 },
]

/** Notes the reports until the flow has ended. */
async function reportsOf(progress: Progress): Promise<ProgressReport[]> {
  const reports: ProgressReport[] = []
  for await (const report of progress) reports.push(report)
  return reports
}

describe('the progress of a flow', () => {
  it('is reported every so often, in the time of the runtime, and once more at the end', async () => {
    await inSimulation(async (sim) => {
      const progress = new Progress({ every: 1000 })
      const reports = reportsOf(progress)
      const flow = Flow.from(numbers(1, 40), { maxDemand: 10, minDemand: 0 })
        .map((n) => n * 2)
        .throughSpecs(slowly())
        .withProgress(progress)
      const result = flow.toArray()
      await sim.advance(10_000)
      expect(await result).toHaveLength(40)
      const seen = await reports
      expect(seen.map(({ state }) => state)).toEqual(['running', 'running', 'running', 'ended'])
      expect(seen.map(({ elapsed }) => elapsed)).toEqual([1000, 2000, 3000, 3000])
      const last = seen.at(-1)!
      expect(last).toMatchObject({ read: 40, emitted: 40, done: 1, remaining: 0 })
      // What the rate is measured from is the report before.
      const [first, second] = seen
      expect(second!.rate).toBe(second!.read - first!.read)
      expect(second!.done).toBe(second!.read / 40)
      expect(second!.remaining).toBe((2000 * (1 - second!.done!)) / second!.done!)
    })
  })

  it('counts what goes into each step and each of its stages, and what comes out', async () => {
    await inSimulation(async () => {
      const progress = new Progress()
      await Flow.from(numbers(1, 100))
        .flatMap((n) => [n, n])
        .reject((n) => n > 50)
        .partition({ stages: 2, hash: (n) => (n <= 10 ? 0 : 1) })
        .reduce(
          () => 0,
          (n, sum) => sum + n,
        )
        .emit('state')
        .withProgress(progress)
        .toArray()
      expect(progress.current).toMatchObject({
        state: 'ended',
        read: 100,
        emitted: 2,
        done: 1,
        steps: [
          { operations: 'flatMap, reject', in: 100, out: 100, stages: [{ in: 100, out: 100 }] },
          {
            operations: 'reduce, emit',
            in: 100,
            out: 2,
            stages: [
              { in: 20, out: 1 },
              { in: 80, out: 1 },
            ],
          },
        ],
      })
    })
  })

  it('counts what async callbacks give when they have', async () => {
    await inSimulation(async () => {
      const progress = new Progress()
      await Flow.from(numbers(1, 10))
        .map(async (n) => n)
        .withProgress(progress)
        .run()
      expect(progress.current).toMatchObject({ read: 10, emitted: 0, steps: [{ in: 10, out: 0 }] })
      await Flow.from(numbers(1, 10))
        .map(async (n) => n)
        .withProgress(progress)
        .count()
      expect(progress.current).toMatchObject({ read: 10, emitted: 10, steps: [{ in: 10, out: 10 }] })
    })
  })

  it.each<[string, (flow: Flow<number>) => Promise<unknown>, Partial<ProgressReport>]>([
    ['toArray', (flow) => flow.toArray(), { state: 'ended', read: 10, emitted: 10 }],
    ['run', (flow) => flow.run(), { state: 'ended', read: 10 }],
    ['forEach', (flow) => flow.forEach(() => {}), { state: 'ended', read: 10 }],
    ['take', (flow) => flow.flatMap((n) => Array.from({ length: 1000 }, () => n)).take(3), { read: 10 }],
    ['start', async (flow) => (await flow.start()).done, { state: 'ended', read: 10 }],
    [
      'further operations',
      (flow) =>
        flow
          .map((n) => n)
          .partition()
          .uniq()
          .count(),
      { state: 'ended', emitted: 10 },
    ],
    [
      'nothing but a source',
      async (flow) => {
        for await (const _ of flow);
      },
      { state: 'ended', read: 10, emitted: 10 },
    ],
  ])('goes with %s', async (_what, run, expected) => {
    await inSimulation(async () => {
      const progress = new Progress()
      const reports = reportsOf(progress)
      await run(Flow.from(numbers(1, 10)).withProgress(progress))
      expect((await reports).at(-1)).toMatchObject(expected)
    })
  })

  it('tells of a failure, and does not throw it at who watches', async () => {
    await inSimulation(async () => {
      const progress = new Progress()
      const reports = reportsOf(progress)
      const failing = Flow.from(numbers(1, 10))
        .map((n) => {
          if (n === 5) throw new Error('five')
          return n
        })
        .withProgress(progress)
      await expect(failing.run()).rejects.toThrow('five')
      expect(await reports).toMatchObject([{ state: 'failed' }])
    })
  })

  it('tells that it was stopped', async () => {
    await inSimulation(async (sim) => {
      const progress = new Progress()
      const controller = new AbortController()
      const manual = await start(Manual)
      const flow = Flow.fromStages([manual])
        .map((n) => n)
        .withProgress(progress)
      const result = flow.run({ signal: controller.signal })
      await sim.settle()
      controller.abort(new Error('enough'))
      await expect(result).rejects.toThrow('enough')
      expect(progress.current).toMatchObject({ state: 'stopped' })
      manual.cast.end('normal')
    })
  })

  it('knows no end of what has no size, or only a part of it', async () => {
    await inSimulation(async () => {
      const progress = new Progress()
      const endless = function* () {
        yield* [1, 2, 3]
      }
      await Flow.from(endless).withProgress(progress).run()
      expect(progress.current).toMatchObject({ read: 3, done: undefined, remaining: undefined })
      await Flow.fromAll<number>([endless, [4]])
        .withProgress(progress)
        .run()
      expect(progress.current).toMatchObject({ read: 4, done: undefined })
      await Flow.fromAll<number>([new Set([1, 2]), [3]])
        .withProgress(progress)
        .run()
      expect(progress.current).toMatchObject({ read: 3, done: 1 })
      await Flow.from(range(1, 7)).withProgress(progress).run()
      expect(progress.current).toMatchObject({ read: 7, done: 1 })
      await Flow.from([]).withProgress(progress).run()
      expect(progress.current).toMatchObject({ read: 0, done: 1 })
    })
  })

  it('counts what stages give that are not its own by what arrives', async () => {
    await inSimulation(async (sim) => {
      const progress = new Progress()
      const manual = await start(Manual)
      const result = Flow.fromStages([manual])
        .map((n) => n)
        .withProgress(progress)
        .count()
      await sim.settle()
      manual.cast.give(1, 2, 3)
      await sim.settle()
      expect(progress.current).toMatchObject({ state: 'running', read: 3, done: undefined })
      manual.cast.end('normal')
      expect(await result).toBe(3)
    })
  })

  it('tells of the run that began last', async () => {
    await inSimulation(async () => {
      const progress = new Progress()
      expect(progress.current).toBeUndefined()
      const flow = Flow.from(numbers(1, 3)).withProgress(progress)
      await flow.run()
      expect(await reportsOf(progress)).toMatchObject([{ state: 'ended', read: 3 }])
      await Flow.from(numbers(1, 5)).withProgress(progress).run()
      expect(await reportsOf(progress)).toMatchObject([{ state: 'ended', read: 5 }])
    })
  })

  it('that is left sets no timer any more', async () => {
    await inSimulation(async (sim) => {
      const progress = new Progress({ every: 100 })
      const manual = await start(Manual)
      const result = Flow.fromStages([manual])
        .map((n) => n)
        .withProgress(progress)
        .run()
      const leaving = (async () => {
        for await (const _ of progress) break
      })()
      await sim.advance(100)
      await leaving
      expect(sim.clock.pending).toBe(0)
      const reports = progress[Symbol.asyncIterator]()
      const next = reports.next()
      await sim.settle()
      expect(sim.clock.pending).toBe(1)
      await reports.return?.()
      expect(await next).toEqual({ done: true, value: undefined })
      expect(sim.clock.pending).toBe(0)
      manual.cast.end('normal')
      await result
    })
  })

  it('is no progress of something else', () => {
    expect(() => Flow.from([1]).withProgress({} as Progress)).toThrow('withProgress: expected a Progress')
    expect(() => new Progress({ every: 0 })).toThrow('every of Progress: expected a number of milliseconds > 0, got 0')
  })
})

describe('the progress of files', () => {
  const text = 'a,b\n1,2\n'.repeat(100_000)

  it.each(['lines', 'csv'] as const)('is that of their bytes (%s)', async (kind) => {
    const path = tempFile(text)
    const progress = new Progress()
    const parts: (number | undefined)[] = []
    const source: BatchSource<unknown> = kind === 'csv' ? files.csv(path) : files.lines(path)
    await Flow.from(source)
      .withProgress(progress)
      .forEach(() => void parts.push(progress.current?.done))
    expect(progress.current).toMatchObject({ state: 'ended', done: 1, read: kind === 'csv' ? 199_999 : 200_000 })
    // A piece of 128 KiB after another.
    expect(new Set(parts).size).toBe(Math.ceil(text.length / (128 * 1024)))
    expect(parts).toEqual([...parts].sort((a, b) => Number(a) - Number(b)))
  })

  it('is that of their bytes in the file where they are compressed', async () => {
    const progress = new Progress()
    await Flow.from(files.lines(tempFile(gzipSync(text), 'a.gz')))
      .withProgress(progress)
      .run()
    expect(progress.current).toMatchObject({ done: 1, read: 200_000 })
  })

  it('is that of a range by its bytes', async () => {
    const path = tempFile(text)
    const [first] = await files.ranges(path, { count: 2, minBytes: 1 })
    const progress = new Progress()
    await Flow.from(files.lines(first!)).withProgress(progress).run()
    expect(progress.current).toMatchObject({ done: 1, read: 100_000 })
  })
})

describe('the bar', () => {
  it('shows how far a flow is until it has ended', async () => {
    const stream = new PassThrough()
    const progress = new Progress()
    const shown = showProgress(progress, { label: 'import', stream })
    await Flow.from(numbers(1, 12_345)).withProgress(progress).run()
    await shown
    stream.end()
    expect((await stream.toArray()).join('')).toMatch(/import .*100 % \| 0 s left \| 12,345 \| [\d,]+\/s/)
  })

  it('shows only what was read where nobody knows how much there is', async () => {
    const stream = new PassThrough()
    const progress = new Progress()
    const shown = showProgress(progress, { stream })
    await Flow.from(function* () {
      yield* [1, 2, 3]
    })
      .withProgress(progress)
      .run()
    await shown
    stream.end()
    const text = (await stream.toArray()).join('')
    expect(text).toMatch(/3 \| [\d,]+\/s/)
    expect(text).not.toContain('%')
  })
})
