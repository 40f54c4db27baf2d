import {
  type CrashReport,
  child,
  configure,
  GenServer,
  type Logger,
  type Ref,
  start,
  startLink,
  supervise,
  whereis,
} from 'sluice'
import { type LogLine, type Simulation, simulate } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { settlement } from '../support/settlement.ts'

class Worker extends GenServer {
  divide(a: number, b: number) {
    if (b === 0) throw new RangeError(`${a} cannot be divided by nothing`)
    return a / b
  }
  async divideLater(a: number, b: number) {
    await Promise.resolve()
    return this.divide(a, b)
  }
  misuse() {
    this.exit('nobody' as unknown as Ref, 'boom')
  }
  misuseInLoop() {
    inLoop(() => this.misuse())
  }
  throwWord() {
    throw 'just a word'
  }
  stopWith(reason: string) {
    this.stop(reason)
  }
  override handleInfo(message: unknown) {
    throw new Error(`no ${String(message)}`)
  }
}

/** Code that was made at run time, and lies in the same place as that of flows. */
const inLoop = new Function('run', 'run()\n//# sourceURL=sluice:loop-1.js') as (run: () => void) => void

const errors = (sim: Simulation): readonly LogLine[] => sim.logs.filter(({ level }) => level === 'error')

/** The fields of the first crash. */
function reportOf(sim: Simulation): CrashReport {
  const [line] = errors(sim)
  return line?.fields as CrashReport
}

describe('a crash report', () => {
  it('is one structured object and one line', async () => {
    await simulate().run(async (sim) => {
      const worker = await start(Worker)
      const { error } = await settlement(worker.call.divide(7, 0))
      const { cause } = error as Error
      expect(errors(sim)).toEqual([
        {
          level: 'error',
          message: `${worker} crashed: RangeError: 7 cannot be divided by nothing`,
          fields: {
            process: `${worker}`,
            err: cause,
            stack: expect.stringContaining('Worker.divide'),
            lastMessage: 'divide(7, 0)',
            restarts: 0,
            supervisor: undefined,
          },
        },
      ])
    })
  })

  it('has the frames of the user first, whatever the raw stack says', async () => {
    await simulate().run(async (sim) => {
      const worker = await start(Worker)
      await settlement(worker.call.misuse())
      const { stack, err } = reportOf(sim)
      const raw = err instanceof Error ? err.stack : undefined
      const frames = (text = '') => text.split('\n').filter((each) => /^\s+at /.test(each))
      expect(frames(raw)[0]).not.toContain('Worker.misuse')
      expect(frames(stack)[0]).toContain('Worker.misuse')
      expect(stack?.split('\n')[0]).toContain('expected a ref of this runtime, got nobody')
      expect([...frames(stack)].sort()).toEqual([...frames(raw)].sort())
    })
  })

  it('takes code that was made at run time for its own', async () => {
    await simulate().run(async (sim) => {
      const worker = await start(Worker)
      await settlement(worker.call.misuseInLoop())
      const frames = (reportOf(sim).stack ?? '').split('\n').filter((each) => /^\s+at /.test(each))
      const place = (text: string) => frames.findIndex((each) => each.includes(text))
      expect(place('Worker.misuseInLoop')).toBeGreaterThan(0)
      expect(place('sluice:loop-1.js')).toBeGreaterThan(place('Worker.misuseInLoop'))
    })
  })

  it('tells the message in hand: a call, a cast with one or more arguments, an info, an awaited one', async () => {
    const crashes: readonly (readonly [(worker: Ref<Worker>) => unknown, string])[] = [
      [(worker) => settlement(worker.call.divide(1, 0)), 'divide(1, 0)'],
      [(worker) => settlement(worker.call.divideLater(2, 0)), 'divideLater(2, 0)'],
      [(worker) => worker.cast.divide(3, 0), 'divide(3, 0)'],
      [(worker) => worker.cast.throwWord(), 'throwWord('],
      [(worker) => worker.send({ text: 'hello' }), "info { text: 'hello' }"],
    ]
    for (const [crash, lastMessage] of crashes) {
      await simulate().run(async (sim) => {
        const worker = await start(Worker)
        await crash(worker)
        await worker.done
        expect(errors(sim)).toHaveLength(1)
        expect(reportOf(sim).lastMessage).toContain(lastMessage)
      })
    }
  })

  it('shortens a long message', async () => {
    await simulate().run(async (sim) => {
      const worker = await start(Worker)
      worker.send({ rows: Array.from({ length: 1000 }, (_, row) => `row ${row} ${'x'.repeat(500)}`) })
      await worker.done
      const { lastMessage } = reportOf(sim)
      expect(lastMessage?.length).toBeLessThan(250)
      expect(lastMessage).toMatch(/^info \{ rows: \[/)
      expect(lastMessage).toMatch(/\.\.\.$/)
    })
  })

  it('wraps what is no Error, so that it has a stack', async () => {
    await simulate().run(async (sim) => {
      const worker = await start(Worker)
      const { error } = await settlement(worker.call.throwWord())
      expect(error).toMatchObject({
        code: 'exit',
        cause: { message: "a callback threw 'just a word', expected an Error" },
      })
      expect(errors(sim)).toMatchObject([{ fields: { err: { cause: 'just a word' } } }])
    })
  })

  it('names the supervisor and counts the restarts before', async () => {
    await simulate().run(async (sim) => {
      const supervisor = await supervise({ strategy: 'one_for_one', children: [child(Worker, { name: Worker })] })
      for (const restarts of [0, 1, 2]) {
        whereis(Worker)?.cast.divide(1, 0)
        await sim.settle()
        expect(errors(sim)).toHaveLength(restarts + 1)
        expect(errors(sim)[restarts]?.fields).toMatchObject({ restarts, supervisor: `${supervisor}` })
      }
      await supervisor.stop()
    })
  })

  it('is one per cause: who falls with another is told in a debug line', async () => {
    await simulate().run(async (sim) => {
      const watcher = await sim.probe().context()
      const a = await start(Worker)
      watcher.link(a)
      const b = await sim.probe().context()
      b.link(watcher.self)
      a.cast.divide(1, 0)
      await b.self.done
      expect(errors(sim)).toHaveLength(1)
      const debug = sim.logs.filter(({ level }) => level === 'debug').map(({ message }) => message)
      expect(debug).toEqual([
        `${watcher.self} ended: RangeError: 1 cannot be divided by nothing`,
        `${b.self} ended: RangeError: 1 cannot be divided by nothing`,
      ])
    })
  })

  it('is not made of an orderly end, but of any other stop', async () => {
    await simulate().run(async (sim) => {
      for (const reason of ['normal', 'shutdown', { shutdown: 'moved' }]) await (await start(Worker)).stop({ reason })
      expect(sim.logs).toEqual([])
      const worker = await start(Worker)
      await worker.call.stopWith('out of paper')
      await worker.done
      expect(errors(sim)).toMatchObject([
        { message: `${worker} crashed: out of paper`, fields: { err: 'out of paper' } },
      ])
      expect(errors(sim)[0]?.fields).toMatchObject({ stack: undefined })
    })
  })

  it('comes in one line for a work given to later whose failure nobody else hears of', async () => {
    class Later extends GenServer {
      work() {
        return this.later(async () => {
          throw new Error('lost')
        })
      }
    }
    await simulate().run(async (sim) => {
      const later = await start(Later)
      later.cast.work()
      await sim.settle()
      expect(errors(sim)).toMatchObject([
        { message: `work given to later failed in ${later}`, fields: { process: `${later}` } },
      ])
      expect(later.alive).toBe(true)
    })
  })

  it('does not come for work given to later that failed because its process is dead', async () => {
    class Later extends GenServer {
      work() {
        return this.later(
          () =>
            new Promise<void>((_, reject) => {
              this.signal.addEventListener('abort', () => reject(this.signal.reason))
            }),
        )
      }
    }
    await simulate().run(async (sim) => {
      const later = await start(Later)
      later.cast.work()
      await sim.settle()
      later.kill()
      await sim.settle()
      expect(errors(sim)).toEqual([])
    })
  })

  it('is not made of a rejection because the own signal fired', async () => {
    class Waiting extends GenServer {
      async wait() {
        await new Promise((_, reject) => {
          this.signal.addEventListener('abort', () => reject(this.signal.reason))
        })
      }
    }
    await simulate().run(async (sim) => {
      const waiting = await start(Waiting)
      waiting.cast.wait()
      await sim.settle()
      waiting.exit('shutdown')
      await sim.settle()
      expect(await waiting.done).toBe('shutdown')
      expect(errors(sim)).toEqual([])
    })
  })

  it('goes to the logger that was configured', async () => {
    await simulate().run(async (sim) => {
      const lines: string[] = []
      const logger: Logger = {
        debug: () => {},
        info: () => {},
        warn: (_fields, message) => lines.push(`warn ${message}`),
        error: (_fields, message) => lines.push(`error ${message}`),
      }
      configure({ logger })
      const worker = await startLink(Worker)
      await settlement(worker.call.divide(1, 0))
      expect(lines).toEqual([`error ${worker} crashed: RangeError: 1 cannot be divided by nothing`])
      expect(sim.logs).toEqual([])
      await sim.settle()
      expect(sim.takeUncaught()).toHaveLength(1)
    })
  })
})
