/** What keeps a program with workers alive, and what does not. */

import { expect, it } from 'vitest'
import { runProgram } from '../support/program.ts'

it('a stop leaves no thread behind, and the program ends', async () => {
  expect(await runProgram('workers', 'stopped')).toEqual({
    code: 0,
    stdout: 'pong\npong\n0 threads, 0 timers\n',
    stderr: '',
  })
})

it('a hundred runs leave nothing behind, in no heap, and no thread', async () => {
  const { code, stdout, stderr } = await runProgram('worker-runs')
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  const { kilobytes, during, end } = JSON.parse(stdout)
  expect({ during, end }).toEqual({ during: 2, end: 0 })
  // What is compiled meanwhile takes a few hundred; one process kept in each run would take 4,000.
  for (const grown of kilobytes) expect(grown).toBeLessThan(2000)
})

it('a debugger sees a worker as a thread of its own, with the sources of its modules', async () => {
  expect(await runProgram('worker-inspected')).toEqual({
    code: 0,
    stdout: expect.stringMatching(/^\[worker 1\].*\ndata:application\/json/),
    stderr: '',
  })
})

it('an idle worker does not keep the program alive', async () => {
  expect(await runProgram('workers', 'idle')).toEqual({ code: 0, stdout: 'started\n', stderr: '' })
})

it('a program goes on until its workers have done what they were sent', async () => {
  expect(await runProgram('workers', 'cast')).toEqual({ code: 0, stdout: 'worked\n', stderr: '' })
})
