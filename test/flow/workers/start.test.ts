/** Flows in workers that run by themselves, as children, and for consumers. */

import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { Worker } from 'node:worker_threads'
import { Consumer, child, type Ref, start, supervise } from 'sluice'
import { Flow } from 'sluice/flow'
import { BroadcastDispatcher } from 'sluice/stage'
import { Workers } from 'sluice/worker'
import { afterAll, describe, expect, it } from 'vitest'
import { failsOnce, summed } from '../../support/flow-modules/tallies.ts'
import { keepReports, newProbe, turns } from '../../support/places.ts'

const workers = new Workers({ size: 2 })
keepReports()
afterAll(() => workers.stop())

class Teller extends Consumer<number> {
  readonly #to: Ref

  constructor({ to }: { readonly to: Ref }) {
    super()
    this.#to = to
  }

  override handleEvents(events: readonly number[]): void {
    for (const event of events) this.#to.send(event)
  }
}

const tally = () => new SharedArrayBuffer(8)
const numberIn = (memory: SharedArrayBuffer, at: number) => Atomics.load(new Int32Array(memory), at)
const tens = Array.from({ length: 100 }, (_, index) => (index + 1) * 10)

async function hundred(probe: ReturnType<typeof newProbe>): Promise<readonly unknown[]> {
  const events: unknown[] = []
  while (events.length < 100) events.push(await probe.receive())
  return events.toSorted((a, b) => Number(a) - Number(b))
}

describe('a flow in workers', () => {
  it('runs by itself to its end', async () => {
    const memory = tally()
    const flow = await summed.flow({ tally: memory, last: 100 }).start({ workers })
    expect(await flow.done).toBe('normal')
    expect(numberIn(memory, 0)).toBe(5050)
  })

  it('that has threads of its own leaves none behind', async () => {
    const threads = new Set<Worker>()
    const created = (message: unknown): void => {
      const worker: Worker = Reflect.get(Object(message), 'worker')
      threads.add(worker)
      worker.once('exit', () => threads.delete(worker))
    }
    subscribe('worker_threads', created)
    const memory = tally()
    const flow = await summed.flow({ tally: memory, last: 10 }).start({ workers: 2 })
    expect(threads.size).toBe(2)
    expect(await flow.done).toBe('normal')
    expect(threads.size).toBe(0)
    unsubscribe('worker_threads', created)
  })

  it('is held back until it is let go', async () => {
    const memory = tally()
    const flow = await summed.flow({ tally: memory, last: 100 }).start({ workers, demand: 'accumulate' })
    await flow.call.groups()
    expect(numberIn(memory, 0)).toBe(0)
    flow.cast.forward()
    expect(await flow.done).toBe('normal')
    expect(numberIn(memory, 0)).toBe(5050)
  })

  it('gives its events to consumers that run, and that are started with it', async () => {
    const flow = summed.flow({ tally: tally(), last: 100 })
    const probe = newProbe()
    const teller = await start(Teller, { arg: { to: probe.ref } })
    const first = await flow.intoStages([teller], { workers })
    expect(await hundred(probe)).toEqual(tens)
    expect(await first.done).toBe('normal')
    expect(teller.alive).toBe(true)
    const second = await flow.intoSpecs([child(Teller, { arg: { to: probe.ref } })], { workers })
    expect(await hundred(probe)).toEqual(tens)
    expect(await second.done).toBe('normal')
  })

  it('is the child of a supervisor, which starts it again', async () => {
    const memory = tally()
    const spec = failsOnce.flow({ tally: memory }).child({ workers, restart: 'transient', id: 'flow' })
    await using _tree = await supervise({ strategy: 'one_for_one', children: [spec] })
    await turns(() => numberIn(memory, 1) === 2)
  })

  it('is refused as others are', async () => {
    const flow = summed.flow({ tally: tally(), last: 1 })
    await expect(Flow.from([1]).start({ workers })).rejects.toMatchObject({ code: 'bad_flow' })
    expect(() => Flow.from([1]).child({ workers })).toThrow('made of functions of this thread')
    await expect(flow.start({ workers: 0 })).rejects.toThrow('workers of start: expected how many')
    const dispatcher = () => new BroadcastDispatcher()
    await expect(flow.intoStages([], { workers, dispatcher })).rejects.toThrow('leave out dispatcher, or workers')
  })
})
