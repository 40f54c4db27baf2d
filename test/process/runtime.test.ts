import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { configure } from 'sluice'
import { simulate } from 'sluice/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { currentRuntime, Runtime } from '../../src/process/runtime.ts'
import { runProgram } from '../support/program.ts'

describe('the program', () => {
  it('fails with an uncaught error when a linked process without a supervisor crashes', async () => {
    const { code, stdout, stderr } = await runProgram('linked-crash')
    expect(code).toBe(1)
    expect(stdout).toBe('ended with RangeError: the tank is empty\nexit 1\n')
    expect(stderr).toMatch(
      /Error: Worker#\d+ was started by the program, had no supervisor and ended: RangeError: the tank is empty/,
    )
    expect(stderr).toMatch(/\[cause\]: RangeError: the tank is empty/)
  })

  it('goes on when linked processes end in an orderly way, and when an unlinked one crashes', async () => {
    const { code, stdout, stderr } = await runProgram('linked-stop')
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'done\n' })
    expect(stderr).toMatch(/^sluice error: Worker#\d+ crashed: RangeError: the tank is empty$/m)
  })

  it('is not kept alive by idle processes', async () => {
    expect(await runProgram('idle-process')).toEqual({ code: 0, stdout: 'answer\n', stderr: '' })
  })

  it('is not kept alive by calls that are over', async () => {
    expect(await runProgram('answered-call')).toEqual({ code: 0, stdout: 'answer\naborted\nexit\n', stderr: '' })
  })

  it('is kept alive by a supervisor until it is stopped', async () => {
    const stdout = 'still alive\nstopped\nnothing left to wait for\n'
    expect(await runProgram('running-supervisor')).toEqual({ code: 0, stdout, stderr: '' })
  })

  it('is kept alive by a call that waits for its reply', async () => {
    expect(await runProgram('pending-call')).toEqual({ code: 0, stdout: 'timeout\n', stderr: '' })
  })

  it('stops what `await using` holds when the block is left', async () => {
    const { code, stdout } = await runProgram('await-using')
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: 'true\nterminate shutdown\nterminate shutdown\nleft\n',
    })
  })
})

describe('the runtime of the thread', () => {
  let folder = ''
  const copy = (name: string): string => {
    const path = join(folder, name)
    cpSync('src', join(path, 'src'), { recursive: true })
    cpSync('package.json', join(path, 'package.json'))
    symlinkSync(resolve('node_modules'), join(path, 'node_modules'))
    return join(path, 'src')
  }
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'sluice-'))
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  it('is one for all who load the same copy', async () => {
    const one = copy('one')
    const { code, stdout } = await runProgram('second-copy', one, one)
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'first finds it: true\nsecond finds it: true\n' })
  })

  it('warns once at a second copy, and says where both come from', async () => {
    const [two, three] = [copy('two'), copy('three')]
    const { code, stdout } = await runProgram('second-copy', two, three)
    expect(code).toBe(0)
    const lines = stdout.trim().split('\n')
    expect(lines.filter((line) => line.startsWith('SluiceWarning'))).toHaveLength(1)
    expect(stdout).toMatch(/SluiceWarning: a second copy of sluice .* from .*three.*; the first came from .*two/)
    expect(stdout).toContain('npm ls sluice')
    expect(stdout).toContain('first finds it: true\nsecond finds it: false')
  })
})

describe('configure', () => {
  it('sets what is given and leaves the rest', () => {
    const runtime = new Runtime()
    const lines: string[] = []
    const note = (level: string) => (_fields: object, message: string) => lines.push(`${level} ${message}`)
    runtime.configure({
      logger: { debug: note('debug'), info: note('info'), warn: note('warn'), error: note('error') },
    })
    expect(runtime.freezeEvents).toBe(false)
    runtime.configure({ freezeEvents: true })
    expect(runtime.freezeEvents).toBe(true)
    for (const level of ['debug', 'info', 'warn', 'error'] as const) runtime.logger[level]({}, 'hello')
    expect(lines).toEqual(['debug hello', 'info hello', 'warn hello', 'error hello'])
  })

  it('acts on the simulation that it is called in', async () => {
    const ofThread = currentRuntime()
    await simulate({ freezeEvents: false }).run(() => {
      expect(currentRuntime()).not.toBe(ofThread)
      expect(currentRuntime().freezeEvents).toBe(false)
      configure({ freezeEvents: true })
      expect(currentRuntime().freezeEvents).toBe(true)
    })
    expect(currentRuntime()).toBe(ofThread)
    expect(ofThread.freezeEvents).toBe(false)
  })
})
