/** The counter example: its stages in a simulation, and the real program. Needs a build. */

import { supervise } from 'sluice'
import { simulate } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { program } from '../../examples/counter/program.ts'
import { tree } from '../../examples/counter/tree.ts'
import { runExample } from '../support/example-program.ts'
import { range } from '../support/stages.ts'

const known = 'known are --printers, --batches, --pace, --from, --help'

describe('the counter', () => {
  it('gives a printer the even numbers, in batches of five, at its pace', async () => {
    await simulate().run(async (sim) => {
      const printed: unknown[] = []
      const print = (printer: number, numbers: readonly number[]) => printed.push([sim.now, printer, numbers])
      const children = tree({ from: 0, printers: 1, batches: 3, pace: 200, print })
      const top = await supervise({ strategy: 'rest_for_one', autoShutdown: 'all_significant', children })
      await sim.advance(10_000)
      expect(printed).toEqual([
        [200, 0, [0, 2, 4, 6, 8]],
        [400, 0, [10, 12, 14, 16, 18]],
        [600, 0, [20, 22, 24, 26, 28]],
      ])
      expect(await top.done).toBe('shutdown')
    })
  })

  it.each(range(1, 5))('gives several printers each number once: seed %i', async (seed) => {
    await simulate({ seed }).run(async (sim) => {
      const printed: number[][] = [[], [], []]
      const print = (printer: number, numbers: readonly number[]) => printed[printer]?.push(...numbers)
      const children = tree({ from: 1, printers: 3, batches: 4, pace: 10, print })
      await supervise({ strategy: 'rest_for_one', autoShutdown: 'all_significant', children })
      await sim.advance(10_000)
      for (const numbers of printed) {
        expect(numbers).toHaveLength(20)
        expect(numbers).toEqual([...numbers].sort((a, b) => a - b))
      }
      const all = printed.flat().sort((a, b) => a - b)
      expect(new Set(all).size).toBe(60)
      expect(all.every((number) => number % 2 === 0)).toBe(true)
      // At most ten were on their way to each of those that ended.
      expect(Math.max(...all)).toBeLessThanOrEqual(2 * (60 + 30))
    })
  })
})

describe('the counter program', () => {
  it('prints, a column for each printer, and ends', async () => {
    const { code, stdout, stderr } = await runExample('counter', ['--printers', '2', '--batches', '2', '--pace', '10'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/^Counter ──> EvenNumbers ──> 2 printers\n\nprinter 1 +printer 2\n/)
    // Which of the two gets the first numbers, and prints first, is left to the scheduler.
    expect(stdout).toMatch(/^ *0 2 4 6 8$/m)
    expect(stdout.match(/^\d+( \d+){4}$/gm)).toHaveLength(2)
    expect(stdout.match(/^ {24}\d+( \d+){4}$/gm)).toHaveLength(2)
    expect(stdout).toMatch(/\n20 even numbers printed\n$/)
  })

  it('Ctrl-C lets the batch in hand be printed', async () => {
    let sent = false
    const { code, stdout } = await runExample('counter', ['--batches', '100000', '--pace', '50'], {
      onOutput: (output, child) => {
        if (sent || !output.includes('0 2 4 6 8')) return
        sent = true
        child.kill('SIGINT')
      },
    })
    expect(code).toBe(130)
    expect(stdout).toMatch(/even numbers printed\n$/)
  })

  it('ends quietly when nobody reads it any more, as in a pipe to head', async () => {
    const { code, stderr } = await runExample('counter', ['--batches', '100000', '--pace', '50'], {
      onOutput: (_output, child) => child.stdout?.destroy(),
    })
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  })

  it('--help says what can be said', async () => {
    const out: string[] = []
    expect(await program(['--help'], { write: (text) => out.push(text) }, process.stderr)).toBe(0)
    expect(out.join('')).toContain('--printers <n>  how many print, 1 to 8, default 1')
  })

  it.each([
    [['--printers', '0'], "--printers: expected a whole number from 1 to 8, got '0'"],
    [['--batches', 'many'], "--batches: expected a whole number from 1 to 1000000, got 'many'"],
    [['--pace=-1'], "--pace: expected a whole number from 0 to 60000, got '-1'"],
    [['--printer', '2'], `unknown option '--printer'; ${known}`],
    [['7'], `unexpected argument '7'; ${known}`],
  ])('%j is a mistake', async (args, said) => {
    const errors: string[] = []
    expect(await program(args, { write: () => {} }, { write: (text) => errors.push(text) })).toBe(1)
    expect(errors).toEqual([`counter: ${said}\n`])
  })
})
