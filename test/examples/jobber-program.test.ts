/** The jobber example as its users run it: the real program, with a real server that is not reliable. Needs a build. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { program } from '../../examples/jobber/program.ts'
import { type Finished, runExample } from '../support/example-program.ts'

const folder = mkdtempSync(join(tmpdir(), 'jobber-'))
const path = (file: string) => join(folder, file)

beforeAll(() => {
  writeFileSync(path('two.csv'), 'name,iso_country\n"Paris, Orly",FR\nAccra,GH\n')
  writeFileSync(path('short.csv'), 'name,iso_country\nAccra\n')
  writeFileSync(path('three.json'), '[{ "a": 1 }, { "a": 2 }, { "a": 3 }]')
  writeFileSync(path('uneven.json'), '[{ "a": 1 }, { "a": 2, "b": 3 }]')
  writeFileSync(path('broken.json'), '[{ "a": 1 }')
  writeFileSync(path('object.json'), '{ "a": 1 }')
})

afterAll(() => rmSync(folder, { recursive: true }))

/** The lines of the table at the end: `id status attempts crashes remark`. */
function outcomes({ stdout }: Finished): readonly string[] {
  const rows = [...stdout.matchAll(/^(\w+-\d+) +\w+ +(\w+) +(\d+) +(\d+) *(.*)$/gm)]
  return rows.map(([, ...cells]) => cells.join(' '))
}

/** Sends a signal when all orders have been handed in. */
function signalWhenBusy(signal: NodeJS.Signals) {
  let sent = false
  return {
    onOutput: (stdout: string, program: { kill(signal: NodeJS.Signals): unknown }) => {
      if (sent || !stdout.includes('─ Submitter#')) return
      sent = true
      program.kill(signal)
    },
  }
}

describe('the jobber program', () => {
  it('shows all that can happen, in a few seconds', async () => {
    // Slow enough that the first imports still run when the sixth is handed in, whatever else the machine has to do.
    const finished = await runExample('jobber', ['--latency', '2000', '--retry-delay', '20'])
    const { code, stdout, stderr } = finished
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(outcomes(finished)).toEqual([
      'import-1 done 1 0 873 rows of 18 columns',
      'import-2 done 3 0 342 rows of 18 columns',
      'import-3 done 1 0 305 rows of 18 columns',
      'import-4 done 2 0 254 rows of 18 columns',
      'import-5 failed 4 0 500 Internal Server Error',
      'import-6 done 2 1 141 rows of 18 columns',
      'import-7 done 1 0 132 rows of 18 columns',
      "import-8 crashed 4 4 TypeError: Cannot read properties of null (reading '0')",
      'send_email-1 done 1 0 accepted',
      'send_email-2 done 2 0 accepted',
      'send_email-3 done 1 0 accepted',
      'send_email-4 done 2 0 accepted',
    ])
    expect(stdout).toMatch(/import-6 +refused +the quota of 5 jobs of type import is reached/)
    expect(stdout).toMatch(/import-8 +gave up +after 4 crashes/)
    expect(stdout).toMatch(/^12 jobs in \d+\.\d s: 10 done, 1 failed, 1 crashed$/m)
  })

  it('shows the tree while it runs', async () => {
    // No job is over when the tree is drawn, nor before the signal.
    const args = ['--latency', '60000', '--deadline', '200', '--imports', '6', '--emails', '1']
    const { stdout } = await runExample('jobber', args, signalWhenBusy('SIGINT'))
    for (const name of ['JobRegistry', 'Board', 'JobRunner', 'Jobber', 'Submitter', 'Progress']) {
      expect(stdout).toMatch(new RegExp(`^[├└]─ ${name}#\\d+ `, 'm'))
    }
    expect(stdout.match(/─ JobSupervisor\(JobRegistry\/import-\d\)#\d+/g)).toHaveLength(5)
    expect(stdout.match(/─ Job#\d+/g)).toHaveLength(6)
  })

  it('does the jobs that it is given, and says with its exit code whether they were done', async () => {
    const jobs = [`import:${path('two.csv')}`, `import:${path('three.json')}`, 'send_email:reader@example.org']
    const done = await runExample('jobber', ['--latency', '0', ...jobs])
    expect({ code: done.code, stderr: done.stderr }).toEqual({ code: 0, stderr: '' })
    expect(outcomes(done)).toEqual([
      'import-1 done 1 0 2 rows of 2 columns',
      'import-2 done 1 0 3 rows of 1 columns',
      'send_email-1 done 1 0 accepted',
    ])
  })

  it('says what is wrong with those that fail', async () => {
    const files = ['short.csv', 'uneven.json', 'broken.json', 'missing.csv', 'object.json']
    const jobs = [...files.map((file) => `import:${path(file)}`), 'send_email:nobody']
    const failed = await runExample('jobber', ['--retries', '1', '--retry-delay', '0', '--latency', '0', ...jobs])
    expect({ code: failed.code, stderr: failed.stderr }).toEqual({ code: 1, stderr: '' })
    expect(outcomes(failed)).toEqual([
      'import-1 failed 2 0 row 1: Too few fields: expected 2 fields but parsed 1',
      'import-2 failed 2 0 row 2 has 2 columns, expected 1',
      expect.stringMatching(/^import-3 failed 2 0 .*JSON/),
      expect.stringMatching(/^import-4 failed 2 0 ENOENT: no such file or directory/),
      expect.stringMatching(/^import-5 crashed 4 4 TypeError: /),
      'send_email-1 failed 2 0 422 Unprocessable Entity',
    ])
  })

  it('shows the crash reports when it is asked to', async () => {
    const { stderr } = await runExample('jobber', ['--verbose', `import:${path('object.json')}`])
    expect(stderr.match(/^Job#\d+ crashed: TypeError: /gm)).toHaveLength(4)
    expect(stderr).toMatch(/^JobSupervisor\(JobRegistry\/import-1\)#\d+ gave up: more than 3 restarts within 30 s/m)
    expect(stderr).toContain('examples/jobber/import-table.ts')
  })

  it('comes to an end at SIGTERM: what runs is finished, what had errored is repeated, the rest is dropped', async () => {
    // Slow enough that nothing is over before the signal arrives.
    const args = ['--latency', '5000', '--deadline', '60000']
    const finished = await runExample('jobber', args, signalWhenBusy('SIGTERM'))
    expect({ code: finished.code, stderr: finished.stderr }).toEqual({ code: 143, stderr: '' })
    expect(finished.stdout).toMatch(/SIGTERM: the application stops, within 61000 ms/)
    expect(outcomes(finished)).toEqual([
      'import-1 done 1 0 873 rows of 18 columns',
      'import-2 done 3 0 342 rows of 18 columns',
      'import-3 done 1 0 305 rows of 18 columns',
      'import-4 done 2 0 254 rows of 18 columns',
      'import-5 failed 4 0 500 Internal Server Error',
      'import-6 dropped 0 0 not started',
      'import-7 dropped 0 0 not started',
      'import-8 dropped 0 0 not started',
      'send_email-1 done 1 0 accepted',
      'send_email-2 done 2 0 accepted',
      'send_email-3 done 1 0 accepted',
      'send_email-4 done 2 0 accepted',
    ])
    expect(finished.stdout).toMatch(/^dropped: import-6, import-7, import-8$/m)
  })

  it('drops at the deadline what is not over, and says so', async () => {
    const args = ['--latency', '60000', '--deadline', '200', '--imports', '6', '--emails', '1']
    const finished = await runExample('jobber', args, signalWhenBusy('SIGINT'))
    expect(finished.code).toBe(130)
    // Five imports and a mail; the table says which.
    expect(finished.stderr).toBe('6 processes had not finished when the application ended\n')
    const dropped = 'was stopped before it was done'
    expect(outcomes(finished)).toEqual([
      ...[1, 2, 3, 4, 5].map((n) => `import-${n} dropped 1 0 ${dropped}`),
      'import-6 dropped 0 0 not started',
      `send_email-1 dropped 1 0 ${dropped}`,
    ])
    expect(finished.stdout).toMatch(/^7 jobs in \d+\.\d s: 7 dropped$/m)
  })

  it('shows how it is used', async () => {
    const { code, stdout } = await runExample('jobber', ['--help'])
    expect(code).toBe(0)
    expect(stdout).toContain('examples/jobber/main.ts [options] [type:subject ...]')
  })
})

const known =
  'known are --imports, --emails, --quota, --max-jobs, --retries, --retry-delay, --backoff, --latency, --deadline, --verbose, --help'

/** What is wrong, the arguments, and what is said about it. */
const mistakes: readonly (readonly [what: string, args: readonly string[], said: string])[] = [
  ['an unknown option', ['--kwota', '3'], `unknown option '--kwota'; ${known}`],
  ['an option without its value', ['--quota'], `option '--quota <value>' argument missing; ${known}`],
  ['a number that is none', ['--quota', 'five'], "--quota: expected a whole number from 1 to 1000, got 'five'"],
  ['a number out of range', ['--quota', '0'], "--quota: expected a whole number from 1 to 1000, got '0'"],
  ['more imports than feeds', ['--imports=500'], "--imports: expected a whole number from 0 to 236, got '500'"],
  ['a backoff that is none', ['--backoff', 'linear'], "--backoff: expected constant or exponential, got 'linear'"],
  ['an unknown type', ['export:a.csv'], "export:a.csv: unknown job type 'export', known are import, send_email"],
  ['a job without a type', ['a.csv'], "expected type:subject, as in import:airports.csv, got 'a.csv'"],
  ['a job without a subject', ['import:'], "expected type:subject, as in import:airports.csv, got 'import:'"],
]

describe('the command line', () => {
  it.each(mistakes)('says in one line what is wrong with %s', async (_what, args, said) => {
    let errors = ''
    const write = (text: string) => {
      errors += text
    }
    const code = await program(args, { write: () => {} }, { write })
    expect({ code, errors }).toEqual({ code: 1, errors: `jobber: ${said}\n` })
  })

  it('ends the program with what is wrong', async () => {
    const { code, stdout, stderr } = await runExample('jobber', ['export:a.csv'])
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toBe("jobber: export:a.csv: unknown job type 'export', known are import, send_email\n")
  })
})
