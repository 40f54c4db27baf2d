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

it('an idle worker does not keep the program alive', async () => {
  expect(await runProgram('workers', 'idle')).toEqual({ code: 0, stdout: 'started\n', stderr: '' })
})

it('a program goes on until its workers have done what they were sent', async () => {
  expect(await runProgram('workers', 'cast')).toEqual({ code: 0, stdout: 'worked\n', stderr: '' })
})
