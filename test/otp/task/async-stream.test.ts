import fc from 'fast-check'
import { type AsyncStreamOptions, ProcessError, type StreamOutcome, start, Task } from 'sluice'
import { simulate } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { failure, gate, Owner, within } from '../../support/owner.ts'
import { collect, eachKind, fail, failed, forever, journaled, ok, pause } from '../../support/task-streams.ts'

eachKind('a stream of tasks %s', (_, kind) => {
  it('S129 never runs more than it may, and keeps the order', async () => {
    await simulate().run(async (sim) => {
      let running = 0
      let most = 0
      const stream = Task.asyncStream(
        [1, 2, 3, 4],
        kind(async (n) => {
          running++
          most = Math.max(most, running)
          await pause(sim, 10 * (5 - n))
          running--
          return n * 2
        }),
        { maxConcurrency: 2 },
      )
      await sim.settle()
      expect(most).toBe(0)
      const outcomes = collect(stream)
      await sim.advance(200)
      expect(await outcomes).toEqual([ok(2), ok(4), ok(6), ok(8)])
      expect(most).toBe(2)
      expect(sim.clock.pending).toBe(0)
      expect(sim.processes).toEqual([])
    })
  })

  it('S129 can be read again, and runs anew', async () => {
    await simulate().run(async () => {
      const runs: number[] = []
      const stream = Task.asyncStream(
        [1, 2],
        kind((n) => {
          runs.push(n)
          return n
        }),
      )
      expect(await collect(stream)).toEqual([ok(1), ok(2)])
      expect(await collect(stream)).toEqual([ok(1), ok(2)])
      expect(runs.sort()).toEqual([1, 1, 2, 2])
    })
  })

  it('S130 gives the outcomes as they come when it is not ordered', async () => {
    await simulate().run(async (sim) => {
      const outcomes = collect(
        Task.asyncStream(
          [400, 300, 200, 100],
          kind(async (ms) => {
            await pause(sim, ms)
            return ms
          }),
          { maxConcurrency: 4, ordered: false },
        ),
      )
      await sim.advance(400)
      expect(await outcomes).toEqual([ok(100), ok(200), ok(300), ok(400)])
    })
  })

  it('S131 goes on behind a slow one', async () => {
    await simulate().run(async (sim) => {
      const slow = gate<number>()
      const done: number[] = []
      const elements = Array.from({ length: 40 }, (_, index) => index + 1)
      const outcomes = collect(
        Task.asyncStream(
          elements,
          kind(async (n) => {
            if (n === 1) await slow.opened
            done.push(n)
            return n
          }),
          { maxConcurrency: 2 },
        ),
      )
      await sim.settle()
      expect(done).toEqual(elements.slice(1))
      slow.open(0)
      expect(await outcomes).toEqual(elements.map(ok))
    })
  })

  it('S131 lets the event loop turn behind a slow one, however fast the others are', async () => {
    // The turns of a simulation are none of the event loop, so this runs outside of one.
    const slow = gate()
    let started = 0
    const work = kind((n: number) => {
      started = n
      return n === 1 ? slow.opened : undefined
    })
    const iterator = Task.asyncStream(journaled([]), work, { maxConcurrency: 2 })[Symbol.asyncIterator]()
    const first = iterator.next()
    while (started < 3000) await new Promise((resolve) => setImmediate(resolve))
    slow.open()
    expect(await first).toEqual({ done: false, value: ok(undefined) })
    await iterator.return?.()
  })

  it('S132 that is left early kills what runs, closes the source, and leaves nothing', async () => {
    await simulate().run(async (sim) => {
      const journal: string[] = []
      const late = gate()
      for await (const outcome of Task.asyncStream(
        journaled(journal),
        kind(async (n) => {
          if (n === 1) return 'fast'
          await late.opened
          journal.push('late')
          return fail('late')
        }),
        { maxConcurrency: 3 },
      )) {
        expect(outcome).toEqual(ok('fast'))
        break
      }
      expect(journal).toEqual(['pull 1', 'pull 2', 'pull 3', 'closed'])
      expect(sim.processes).toEqual([])
      await sim.settle()
      expect(sim.clock.pending).toBe(0)
      // What the killed still do counts for nobody.
      late.open()
      await sim.settle()
      expect(journal.slice(4)).toEqual(['late', 'late'])
      expect(sim.logs.filter(({ level }) => level !== 'debug')).toEqual([])
      expect(sim.takeUncaught()).toEqual([])
    })
  })

  it('S132 that is left early forgets the deadlines of all its tasks', async () => {
    await simulate().run(async (sim) => {
      const work = kind(async (n: number) => {
        if (n === 1) return await forever()
        return await pause(sim, 5)
      })
      const reading = async () => {
        let read = 0
        for await (const _ of Task.asyncStream(journaled([]), work, { maxConcurrency: 2, ordered: false })) {
          read++
          if (read === 2) break
        }
      }
      const left = reading()
      await sim.advance(10)
      await left
      expect(sim.clock.pending).toBe(0)
    })
  })

  it('S132 waits for a slow reader', async () => {
    await simulate().run(async (sim) => {
      const journal: string[] = []
      const gates = Array.from({ length: 9 }, () => gate())
      const work = kind((n: number) => gates[n]?.opened)
      const stream = Task.asyncStream(journaled(journal), work, { maxConcurrency: 2, ordered: false })
      const iterator = stream[Symbol.asyncIterator]()
      const read = async () => expect(await iterator.next()).toEqual({ done: false, value: ok(undefined) })
      await sim.settle()
      expect(journal).toEqual([])
      const first = read()
      await sim.settle()
      gates[1]?.open()
      gates[2]?.open()
      await first
      await sim.settle()
      expect(journal).toEqual(['pull 1', 'pull 2'])
      // Whoever finds an outcome lets the next tasks start, whoever waits for one lets none start after it.
      await read()
      expect(journal).toEqual(['pull 1', 'pull 2', 'pull 3', 'pull 4'])
      const third = read()
      gates[3]?.open()
      await third
      await sim.settle()
      expect(journal).toHaveLength(4)
      expect(await iterator.return?.()).toEqual({ done: true, value: undefined })
      expect(await iterator.next()).toEqual({ done: true, value: undefined })
      expect(journal.slice(4)).toEqual(['closed'])
    })
  })

  it('S133 fails with a late task', async () => {
    await simulate().run(async (sim) => {
      const journal: string[] = []
      const error = failure(collect(Task.asyncStream(journaled(journal), kind(forever), { maxConcurrency: 2 })))
      await sim.advance(4999)
      expect(journal).toEqual(['pull 1', 'pull 2'])
      await sim.advance(1)
      expect(await error).toMatchObject({ name: 'TaskError', code: 'timeout' })
      expect(await error).toHaveProperty('message', expect.stringContaining('within 5000 ms'))
      expect(journal.at(-1)).toBe('closed')
      expect(sim.processes).toEqual([])
      expect(sim.clock.pending).toBe(0)
    })
  })

  it('S133 kills a late task, which ends no other', async () => {
    await simulate().run(async (sim) => {
      const work = kind(async (n: number) => {
        await pause(sim, n === 2 ? 100 : 8)
        return n
      })
      const options = { maxConcurrency: 2, timeout: 10, onTimeout: 'kill_task' } as const
      const plain = collect(Task.asyncStream([1, 2, 3, 4], work, options))
      const zipped = collect(Task.asyncStream([1, 2, 3, 4], work, { ...options, zipInputOnExit: true }))
      await sim.advance(30)
      expect(await plain).toEqual([ok(1), failed('timeout'), ok(3), ok(4)])
      expect(await zipped).toEqual([ok(1), { ok: false, exit: 'timeout', input: 2 }, ok(3), ok(4)])
      await sim.advance(100)
      expect(sim.clock.pending).toBe(0)
    })
  })

  it('S133 gives each task its own time', async () => {
    await simulate().run(async (sim) => {
      const outcomes = collect(
        Task.asyncStream(
          [6, 6, 6, 20, 6],
          kind((ms: number) => pause(sim, ms)),
          { maxConcurrency: 1, timeout: 10, onTimeout: 'kill_task' },
        ),
      )
      await sim.advance(100)
      expect((await outcomes).map(({ ok }) => ok)).toEqual([true, true, true, false, true])
      expect(sim.clock.pending).toBe(0)
    })
  })

  it('S134 that fails is an element for the program, and the rest goes on', async () => {
    await simulate().run(async (sim) => {
      const work = kind((n: number) => (n === 2 ? fail('sync') : n === 3 ? Promise.reject(new Error('async')) : n))
      const outcomes = await collect(Task.asyncStream([1, 2, 3, 4], work, { maxConcurrency: 2 }))
      expect(outcomes).toEqual([ok(1), failed(new Error('sync')), failed(new Error('async')), ok(4)])
      expect(await collect(Task.asyncStream([2], work, { zipInputOnExit: true }))).toEqual([
        { ok: false, exit: new Error('sync'), input: 2 },
      ])
      expect(sim.logs.map(({ message }) => message.replace(/#\d+/, '#n'))).toEqual([
        expect.stringMatching(/#n crashed: Error: sync$/),
        expect.stringMatching(/#n crashed: Error: async$/),
        expect.stringMatching(/#n crashed: Error: sync$/),
      ])
      expect(sim.takeUncaught()).toEqual([])
    })
  })

  it('S134 that fails ends a process that does not trap exits', async () => {
    await simulate().run(async (sim) => {
      const journal: string[] = []
      const owner = await start(Owner, { arg: sim.probe().ref })
      const result = failure(
        within(owner, (self) =>
          collect(
            self.asyncStream(
              journaled(journal),
              kind((n) => (n === 3 ? fail('boom') : forever())),
              { maxConcurrency: 3 },
            ),
          ),
        ),
      )
      expect(await owner.done).toEqual(new Error('boom'))
      expect(await result).toMatchObject({ name: 'CallError', code: 'exit' })
      await sim.settle()
      expect(journal).toEqual(['pull 1', 'pull 2', 'pull 3', 'closed'])
      expect(sim.processes.map(String)).toEqual([expect.stringContaining('probe')])
      expect(sim.clock.pending).toBe(0)
      expect(sim.logs.filter(({ level }) => level === 'error')).toHaveLength(1)
    })
  })

  it('S134 that fails is an element in a process that traps exits, which gets no messages', async () => {
    await simulate().run(async (sim) => {
      const probe = sim.probe()
      const owner = await start(Owner, { arg: probe.ref })
      const outcomes = await within(owner, (self) => {
        self.trapExits(true)
        return collect(
          self.asyncStream(
            [1, 2, 3],
            kind((n) => (n === 2 ? fail('boom') : n)),
          ),
        )
      })
      expect(outcomes).toEqual([ok(1), failed(new Error('boom')), ok(3)])
      await sim.settle()
      expect(await probe.received()).toEqual([])
    })
  })

  it('S136 that finds its source broken kills the tasks and fails with what the source threw', async () => {
    await simulate().run(async (sim) => {
      const broken = new Error('no more')
      function* source() {
        yield 1
        yield 2
        throw broken
      }
      const outcomes: unknown[] = []
      const reading = async () => {
        const work = kind((n: number) => (n === 1 ? Promise.resolve(n) : forever()))
        for await (const outcome of Task.asyncStream(source(), work, { maxConcurrency: 2 })) outcomes.push(outcome)
      }
      expect(await failure(reading())).toBe(broken)
      expect(outcomes).toEqual([ok(1)])
      expect(sim.processes).toEqual([])
      await sim.settle()
      expect(sim.clock.pending).toBe(0)
    })
  })

  it('S136 whose reader fails kills the tasks and closes the source', async () => {
    await simulate().run(async (sim) => {
      const journal: string[] = []
      const reading = async () => {
        const work = kind((n: number) => (n === 1 ? Promise.resolve(n) : forever()))
        for await (const outcome of Task.asyncStream(journaled(journal), work, { maxConcurrency: 2 })) {
          fail(`got ${JSON.stringify(outcome)}`)
        }
      }
      expect(await failure(reading())).toEqual(new Error('got {"ok":true,"value":1}'))
      expect(journal.at(-1)).toBe('closed')
      expect(sim.processes).toEqual([])
      await sim.settle()
      expect(sim.clock.pending).toBe(0)
    })
  })

  it('S138 may be read by others, and belongs to the process that made it', async () => {
    await simulate().run(async (sim) => {
      const owner = await start(Owner, { arg: sim.probe().ref })
      const stream = await within(owner, (self) =>
        self.asyncStream(
          [1, 2, 3],
          kind((n) => (n === 3 ? forever() : n)),
          { maxConcurrency: 2 },
        ),
      )
      const outcomes: unknown[] = []
      const reading = async () => {
        for await (const outcome of stream) outcomes.push(outcome)
      }
      const error = failure(reading())
      await sim.settle()
      expect(outcomes).toEqual([ok(1), ok(2)])
      owner.kill()
      expect(await error).toMatchObject({ code: 'exit', reason: 'killed' })
      const iterator = stream[Symbol.asyncIterator]()
      expect(await failure(iterator.next())).toMatchObject({ code: 'exit', reason: 'killed' })
      expect(await iterator.next()).toEqual({ done: true, value: undefined })
      expect(sim.processes.map(String)).toEqual([expect.stringContaining('probe')])
      await sim.settle()
      expect(sim.clock.pending).toBe(0)
    })
  })

  it('gives all that a source has, in order, whatever the tasks do', async () => {
    const work = fc.constantFrom('now', 'soon', 'later', 'fail')
    await fc.assert(
      fc.asyncProperty(
        fc.nat(),
        fc.array(work, { maxLength: 40 }),
        fc.integer({ min: 1, max: 6 }),
        fc.boolean(),
        async (seed, plan, maxConcurrency, ordered) => {
          await simulate({ seed }).run(async (sim) => {
            let running = 0
            const perform = async (index: number): Promise<number> => {
              await pause(sim, 1 + (index % 3))
              running--
              return index
            }
            const run = kind((index: number): number | Promise<number> => {
              running++
              expect(running).toBeLessThanOrEqual(maxConcurrency)
              if (plan[index] === 'later') return perform(index)
              running--
              if (plan[index] === 'fail') fail(`${index}`)
              return plan[index] === 'now' ? index : Promise.resolve(index)
            })
            const outcomes = collect(Task.asyncStream(plan.keys(), run, { maxConcurrency, ordered }))
            await sim.advance(plan.length * 3)
            const expected = plan.map((kind, index) => (kind === 'fail' ? failed(new Error(`${index}`)) : ok(index)))
            const got = await outcomes
            if (ordered) expect(got).toEqual(expected)
            else expect(got.map(indexOf).sort((a, b) => a - b)).toEqual([...plan.keys()])
            expect(sim.processes).toEqual([])
            expect(sim.clock.pending).toBe(0)
          })
        },
      ),
      { numRuns: process.env['CI'] ? 1000 : 100 },
    )
  })
})

const indexOf = (outcome: StreamOutcome<number>): number =>
  outcome.ok ? outcome.value : Number((outcome.exit as Error).message)

describe('a stream of tasks', () => {
  it('S132 fires the signal of the tasks that it kills', async () => {
    await simulate().run(async (sim) => {
      const signals: AbortSignal[] = []
      const stream = Task.asyncStream(
        [1, 2],
        (n, context) => {
          signals.push(context.signal)
          return n === 1 ? context.sleep(1) : forever()
        },
        { maxConcurrency: 2 },
      )
      const left = (async () => {
        for await (const _ of stream) break
      })()
      await sim.advance(1)
      await left
      expect(signals.map(({ aborted }) => aborted)).toEqual([true, true])
    })
  })

  it('S132 does not wait for an async source that does not answer', async () => {
    await simulate().run(async (sim) => {
      const journal: string[] = []
      const unlocked = gate()
      async function* source() {
        try {
          yield 1
          await unlocked.opened
          yield 2
        } finally {
          journal.push('closed')
        }
      }
      const reading = async () => {
        const work = async (n: number) => {
          await pause(sim, 1)
          return n
        }
        for await (const outcome of Task.asyncStream(source(), work, { maxConcurrency: 2 })) return outcome
        return undefined
      }
      const outcome = reading()
      await sim.advance(1)
      expect(await outcome).toEqual(ok(1))
      expect(journal).toEqual([])
      unlocked.open()
      await sim.settle()
      expect(journal).toEqual(['closed'])
    })
  })

  it('S132 asks an async source for one element at a time', async () => {
    await simulate().run(async (sim) => {
      let asked = 0
      let most = 0
      const source: AsyncIterable<number> = {
        [Symbol.asyncIterator]: () => {
          let element = 0
          return {
            next: async () => {
              asked++
              most = Math.max(most, asked)
              await pause(sim, 1)
              asked--
              element++
              return element > 5 ? { done: true, value: undefined } : { done: false, value: element }
            },
          }
        },
      }
      const outcomes = collect(Task.asyncStream(source, (n) => n, { maxConcurrency: 3 }))
      await sim.advance(10)
      expect(await outcomes).toEqual([1, 2, 3, 4, 5].map(ok))
      expect(most).toBe(1)
    })
  })

  it('S136 fails with what an async source rejects with', async () => {
    await simulate().run(async () => {
      async function* source() {
        yield 1
        throw new Error('no more')
      }
      expect(await failure(collect(Task.asyncStream(source(), (n) => n)))).toEqual(new Error('no more'))
    })
  })

  it('S136 fails once, and has ended then', async () => {
    await simulate().run(async (sim) => {
      const iterator = Task.asyncStream(journaled([]), forever, { timeout: 0 })[Symbol.asyncIterator]()
      const steps = Promise.allSettled([iterator.next(), iterator.next()])
      await sim.advance(0)
      const [first, second] = await steps
      expect(first).toMatchObject({ status: 'rejected', reason: { code: 'timeout' } })
      expect(second).toEqual({ status: 'fulfilled', value: { done: true, value: undefined } })
    })
  })

  it('S136 fails when its source cannot be closed', async () => {
    await simulate().run(async () => {
      function* source() {
        try {
          yield 1
          yield 2
        } finally {
          fail('cannot close')
        }
      }
      const reading = async () => {
        for await (const _ of Task.asyncStream(source(), (n) => n, { maxConcurrency: 1 })) break
      }
      expect(await failure(reading())).toEqual(new Error('cannot close'))
    })
  })

  it('answers several readers in turn', async () => {
    await simulate().run(async () => {
      const iterator = Task.asyncStream([1, 2], (n) => Promise.resolve(n))[Symbol.asyncIterator]()
      expect(await Promise.all([iterator.next(), iterator.next(), iterator.next()])).toEqual([
        { done: false, value: ok(1) },
        { done: false, value: ok(2) },
        { done: true, value: undefined },
      ])
    })
  })

  it('inside a task ends with it', async () => {
    await simulate().run(async (sim) => {
      const journal: string[] = []
      const task = Task.async(async (context) => {
        for await (const _ of context.asyncStream(journaled(journal), forever, { maxConcurrency: 2 }));
      })
      await sim.settle()
      expect(journal).toEqual(['pull 1', 'pull 2'])
      await task.shutdown('brutal_kill')
      expect(journal.at(-1)).toBe('closed')
      await sim.settle()
      expect(sim.clock.pending).toBe(0)
    })
  })

  it.each<[AsyncStreamOptions, string]>([
    [{ maxConcurrency: 0 }, 'maxConcurrency of asyncStream: expected an integer >= 1, got 0'],
    [{ maxConcurrency: 1.5 }, 'maxConcurrency of asyncStream: expected an integer >= 1, got 1.5'],
    [{ timeout: -1 }, 'timeout of asyncStream: expected milliseconds >= 0 or Infinity, got -1'],
    [{ timeout: Number.NaN }, 'timeout of asyncStream: expected milliseconds >= 0 or Infinity, got NaN'],
    [{ onTimeout: 'kill' as never }, "onTimeout of asyncStream: expected 'exit' or 'kill_task', got kill"],
    [{ ordered: 1 as never }, 'ordered of asyncStream: expected true or false, got 1'],
    [{ zipInputOnExit: 'yes' as never }, 'zipInputOnExit of asyncStream: expected true or false, got yes'],
  ])('S135 refuses a bad option when it is built: %j', async (options, text) => {
    await simulate().run(() => {
      expect(() => Task.asyncStream([], () => {}, options)).toThrow(new ProcessError('bad_argument', text))
    })
  })

  it('S135 refuses what is no source and no function', async () => {
    await simulate().run(() => {
      expect(() => Task.asyncStream(42 as never, () => {})).toThrow(
        new ProcessError('bad_argument', 'source of asyncStream: expected an Iterable or AsyncIterable, got 42'),
      )
      expect(() => Task.asyncStream([], 42 as never)).toThrow(
        new ProcessError('bad_argument', 'run of asyncStream: expected a function, got 42'),
      )
    })
  })
})
