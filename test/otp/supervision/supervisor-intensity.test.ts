import { child, Supervisor, supervise } from 'sluice'
import { type Simulation, simulate } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { numbers, running, shown, type Worker, worker } from '../../support/workers.ts'

const run = (test: (sim: Simulation) => Promise<void>) => simulate().run(test)

/** A worker that refuses to start the given times after its first start, each time after 10 ms. */
function stumbling(id: string, times: number, journal?: (line: string) => void) {
  let starts = 0
  const init = async (self: Worker) => {
    starts++
    if (starts === 1 || starts > times + 1) return
    await self.sleep(10)
    throw new Error(`stumbled over start ${starts}`)
  }
  return worker(id, journal, { init })
}

describe('the intensity of restarts', () => {
  it('S52 tolerates 3 in 5 seconds, the fourth stops the children and the supervisor', () =>
    run(async (sim) => {
      const journal: string[] = []
      const children = [worker('a', (line) => void journal.push(line)), worker('b', (line) => void journal.push(line))]
      const supervisor = await supervise({ strategy: 'one_for_one', children })
      for (const crash of [1, 2, 3]) {
        ;(await running(supervisor, 'a')).kill()
        await sim.advance(1000)
        expect(journal.filter((line) => line === 'start a')).toHaveLength(crash + 1)
      }
      const last = await running(supervisor, 'a')
      journal.length = 0
      last.kill()
      expect(await supervisor.done).toBe('shutdown')
      expect(journal).toEqual(['stop b: shutdown'])
      expect(sim.processes).toEqual([])
      const gaveUp = sim.logs.filter(({ level }) => level === 'error')
      expect(gaveUp.map(({ message }) => message)).toEqual([
        expect.stringMatching(/Supervisor#\d+ gave up: more than 3 restarts within 5 s, the last of a/),
      ])
    }))

  it('S52 counts a restart that is exactly maxSeconds old', () =>
    run(async (sim) => {
      const supervisor = await supervise({ strategy: 'one_for_one', maxRestarts: 1, children: [worker('a')] })
      ;(await running(supervisor, 'a')).kill()
      await sim.advance(5000)
      ;(await running(supervisor, 'a')).kill()
      expect(await supervisor.done).toBe('shutdown')
    }))

  it('S52 counts the restart of a group once', () =>
    run(async (sim) => {
      const children = ['a', 'b', 'c', 'd', 'e'].map((id) => worker(id))
      const supervisor = await supervise({ strategy: 'one_for_all', maxRestarts: 1, children })
      ;(await running(supervisor, 'c')).kill()
      await sim.settle()
      expect(await shown(supervisor)).toEqual(['a: runs', 'b: runs', 'c: runs', 'd: runs', 'e: runs'])
    }))

  it('S53 is never reached by crashes that are further apart', () =>
    run(async (sim) => {
      const supervisor = await supervise({
        strategy: 'one_for_one',
        maxRestarts: 1,
        maxSeconds: 2,
        children: [worker('a')],
      })
      for (let crash = 0; crash < 50; crash++) {
        ;(await running(supervisor, 'a')).kill()
        await sim.advance(2001)
      }
      expect(await shown(supervisor)).toEqual(['a: runs'])
    }))

  it('S54 of 0 makes the first crash fatal', () =>
    run(async () => {
      const supervisor = await supervise({ strategy: 'one_for_one', maxRestarts: 0, children: [worker('a')] })
      ;(await running(supervisor, 'a')).kill()
      expect(await supervisor.done).toBe('shutdown')
    }))

  it('S55 allows failing restarts, and requests are answered between the attempts', () =>
    run(async (sim) => {
      const supervisor = await supervise({ strategy: 'one_for_one', children: [stumbling('a', 2), worker('b')] })
      ;(await running(supervisor, 'a')).kill()
      const seen: unknown[] = []
      for (let attempt = 0; attempt < 2; attempt++) {
        // The supervisor waits for the start, so the answer comes after the failure of this attempt.
        await sim.settle()
        const answered = supervisor.call.whichChildren().then((children) => seen.push(children[0]?.ref))
        await sim.advance(10)
        await answered
      }
      expect(seen).toEqual(['restarting', 'restarting'])
      expect(await shown(supervisor)).toEqual(['a: runs', 'b: runs'])
      expect(sim.logs.filter(({ level }) => level === 'error').map(({ message }) => message)).toEqual([
        expect.stringMatching(/could not restart a and will try again: .*stumbled over start 2/),
        expect.stringMatching(/could not restart a and will try again: .*stumbled over start 3/),
      ])
    }))

  it('S55 under rest_for_one goes on with the child that failed to start', () =>
    run(async (sim) => {
      const journal: string[] = []
      const write = (line: string) => void journal.push(line)
      const children = [worker('a', write), stumbling('b', 1, write), worker('c', write)]
      const supervisor = await supervise({ strategy: 'rest_for_one', children })
      journal.length = 0
      ;(await running(supervisor, 'a')).kill()
      await sim.advance(10)
      expect(journal).toEqual(['stop c: shutdown', 'stop b: shutdown', 'start a', 'start b', 'start c'])
      expect(await shown(supervisor)).toEqual(['a: runs', 'b: runs', 'c: runs'])
    }))

  it('S56 is used up by a restart that keeps failing', () =>
    run(async (sim) => {
      const journal: string[] = []
      const children = [worker('b', (line) => void journal.push(line)), stumbling('a', Infinity)]
      const supervisor = await supervise({ strategy: 'one_for_one', children })
      ;(await running(supervisor, 'a')).kill()
      await sim.advance(1000)
      expect(await supervisor.done).toBe('shutdown')
      expect(journal).toEqual(['start b', 'stop b: shutdown'])
      expect(sim.processes).toEqual([])
      expect(sim.clock.pending).toBe(0)
    }))

  it('S66 is not touched by a child that is terminated while it is restarting: it is not tried again', () =>
    run(async (sim) => {
      const supervisor = await supervise({ strategy: 'one_for_one', children: [stumbling('a', 1)] })
      ;(await running(supervisor, 'a')).kill()
      await sim.settle()
      const terminated = supervisor.call.terminateChild('a')
      await sim.advance(10)
      await terminated
      await sim.advance(1000)
      expect(await shown(supervisor)).toEqual(['a: undefined'])
      expect(await supervisor.call.restartChild('a')).toMatchObject({ alive: true })
    }))
})

describe('crash reports', () => {
  it('tell how often the child had been started again, and its supervisor', () =>
    run(async (sim) => {
      const supervisor = await supervise({ strategy: 'one_for_one', children: [worker('a')] })
      for (let crash = 0; crash < 3; crash++) {
        ;(await running(supervisor, 'a')).cast.crash('boom')
        await sim.settle()
      }
      expect(sim.logs.map(({ fields }) => fields)).toMatchObject(
        [0, 1, 2].map((restarts) => ({ restarts, supervisor: `${supervisor}`, lastMessage: "crash('boom')" })),
      )
    }))

  it('are one for one cause: those that fall with it are not reported', () =>
    run(async (sim) => {
      const inner = (id: string) =>
        child(Supervisor, {
          id,
          arg: { strategy: 'one_for_all', maxRestarts: 0, children: [worker('x'), worker('y')] },
        })
      const supervisor = await supervise({
        strategy: 'one_for_all',
        children: [inner('left'), worker('a'), inner('right')],
      })
      const before = await numbers(supervisor)
      ;(await running(supervisor, 'a')).cast.crash()
      await sim.settle()
      expect(sim.logs.filter(({ level }) => level !== 'debug').map(({ message }) => message)).toEqual([
        expect.stringMatching(/^Worker#\d+ crashed: Error: boom/),
      ])
      expect(await numbers(supervisor)).not.toEqual(before)
    }))
})
