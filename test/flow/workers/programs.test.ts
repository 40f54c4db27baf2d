import { describe, expect, it } from 'vitest'
import { runProgram } from '../../support/program.ts'

describe('a program', () => {
  it('runs its flow in workers, has the same functions as they, and ends', async () => {
    const ended = await runProgram('flow-in-workers')
    expect(ended).toEqual({ code: 0, stdout: '[[0,333],[1,334],[2,333]]\nleft\n', stderr: '' })
  }, 150_000)

  it('is told when workers would begin it again', async () => {
    const { code, stdout, stderr } = await runProgram('flow-entry')
    expect(stdout).toMatch(
      /flow-entry\.ts, the module that the program begins with\. Each worker would run the program again/,
    )
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  }, 150_000)
})
