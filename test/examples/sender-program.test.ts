/** The sender example as its users run it: the real program. Needs a build. */

import { startLink } from 'sluice'
import { describe, expect, it } from 'vitest'
import { CrashLog } from '../../examples/sender/crash-log.ts'
import { MailServer } from '../../examples/sender/mail-server.ts'
import { program } from '../../examples/sender/program.ts'
import { runExample } from '../support/example-program.ts'
import { PostOffice } from '../support/post-office.ts'

const known = 'known are --step, --concurrency, --timeout, --smtp, --to, --from, --help'
const url = 'expected smtp://host:port or smtps://user:password@host'

/** What is wrong, the arguments, and what is said about it. */
const mistakes: readonly (readonly [what: string, args: readonly string[], said: string])[] = [
  ['a step that there is not', ['--step', '6'], "--step: expected a whole number from 1 to 5, got '6'"],
  ['a step that is no number', ['--step', 'two'], "--step: expected a whole number from 1 to 5, got 'two'"],
  ['no concurrency at all', ['--concurrency', '0'], "--concurrency: expected a whole number from 1 to 1000, got '0'"],
  ['no time at all', ['--timeout=0'], "--timeout: expected a whole number from 1 to 600000, got '0'"],
  ['a server without a protocol', ['--smtp', 'localhost:25', '--to', 'a@b.org'], `--smtp: ${url}, got 'localhost:25'`],
  [
    'a server that is no server',
    ['--smtp', 'http://localhost', '--to', 'a@b.org'],
    `--smtp: ${url}, got 'http://localhost'`,
  ],
  [
    'a real server and nobody to write to',
    ['--smtp', 'smtp://localhost'],
    '--smtp sends real mails: say to whom with --to, once for each address',
  ],
  ['an address that is none', ['--to', 'ada'], "--to: expected one e-mail address such as ada@example.org, got 'ada'"],
  [
    'two addresses in one',
    ['--to', 'a@b.org,c@d.org'],
    "--to: expected one e-mail address such as ada@example.org, got 'a@b.org,c@d.org'",
  ],
  ['a sender that is none', ['--from', ''], "--from: expected one e-mail address such as ada@example.org, got ''"],
  ['an unknown option', ['--stpe', '1'], `unknown option '--stpe'; ${known}`],
  ['a word too much', ['5'], `unexpected argument '5'; ${known}`],
]

/** A step as it was printed. */
function sectionsOf(stdout: string): readonly string[] {
  return stdout.split(/^(?=\d\. )/m).slice(1)
}

describe('the sender program', () => {
  it('runs all steps, and shows what became of each mail', async () => {
    // With so much time nobody is cut off, however slow the machine is.
    const { code, stdout, stderr } = await runExample('sender', ['--timeout', '60000'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const steps = sectionsOf(stdout)
    expect(steps).toHaveLength(5)
    expect(steps[0]).toMatch(/^ {3}ada@example\.org +█+✓ +\d+ ms$/m)
    expect(steps[0]).toMatch(/^ {3}nobody@example\.org +▒+✗ +\d+ ms {2}.*550 No such mailbox$/m)
    expect(steps[0]).toMatch(/^ {3}tony@example\.org +never tried$/m)
    expect(steps[0]).toContain('1 on their way at the same time')
    expect(steps[0]).toMatch(/caller knows Error: .*550 No such mailbox$/m)
    expect(steps[1]).toContain('caller knows 10 were started')
    expect(steps[2]).toMatch(/caller knows TaskError: /)
    expect(steps[3]).toContain('3 on their way at the same time')
    expect(steps[3]).toMatch(/caller knows TaskError: .*(550 No such mailbox|421 Go away)$/m)
    expect(steps[3]).toMatch(/ ▒+✂ /)
    expect(steps[4]).toContain('3 on their way at the same time')
    expect(steps[4]).toMatch(/^ {3}tony@example\.org +█+✓ +\d+ ms$/m)
    expect(steps[4]).toMatch(
      /caller knows 8 sent; not sent: (nobody|grumpy)@\S+ \(failed\), (nobody|grumpy)@\S+ \(failed\)$/m,
    )
  })

  it('runs one step, and cuts off who is late', async () => {
    const { code, stdout } = await runExample('sender', ['--step', '5', '--to', 'sloth@example.org'])
    expect(code).toBe(0)
    expect(sectionsOf(stdout)).toHaveLength(1)
    expect(stdout).toMatch(/^ {3}sloth@example\.org +▒+✂ +\d+ ms {2}cut off: its connection is closed$/m)
    expect(stdout).toContain('caller knows 0 sent; not sent: sloth@example.org (timeout)')
  })

  it('sends real mails to a real server', async () => {
    const post = new PostOffice(false)
    const server = await startLink(MailServer, { arg: { answer: post.answer, watch: post.watch } })
    const to = ['--to', 'ada@example.org', '--to', 'alan@example.org']
    const { code, stdout } = await runExample('sender', ['--smtp', await server.call.url(), ...to, '--step', '1'])
    expect(code).toBe(0)
    expect(stdout).toContain('2 receipts, in order')
    expect(post.to('accepted')).toEqual(['ada@example.org', 'alan@example.org'])
    await server.stop()
  })

  it('says in one line that a server does not answer', async () => {
    // Nobody listens at port 1 of a machine.
    const { code, stderr } = await runExample('sender', ['--smtp', 'smtp://127.0.0.1:1', '--to', 'ada@example.org'])
    expect(code).toBe(1)
    expect(stderr).toMatch(
      /^sender: smtp:\/\/127\.0\.0\.1:1 does not answer \(.*ECONNREFUSED.*\); expected a mail server/,
    )
    expect(stderr.trimEnd()).not.toContain('\n')
  })

  /** Presses Ctrl-C as soon as a step has begun. */
  function interrupted(...args: readonly string[]) {
    let pressed = false
    return runExample('sender', args, {
      onOutput: (stdout, running) => {
        if (pressed || !/^\d\. /m.test(stdout)) return
        pressed = true
        running.kill('SIGINT')
      },
    })
  }

  it('ends at Ctrl-C, in the middle of a step', async () => {
    const { code, stdout, stderr } = await interrupted('--step', '1')
    expect({ code, stderr }).toEqual({ code: 130, stderr: '' })
    expect(stdout).toMatch(/^ {3}tony@example\.org +never tried$/m)
  })

  it('finishes at Ctrl-C what the supervisor has', async () => {
    const to = ['--to', 'sloth@example.org', '--timeout', '60000']
    const { code, stdout, stderr } = await interrupted('--step', '5', ...to)
    expect({ code, stderr }).toEqual({ code: 130, stderr: '' })
    expect(stdout).toContain('caller knows 1 sent')
  })

  it('shows how it is used', async () => {
    const { code, stdout } = await runExample('sender', ['--help'])
    expect(code).toBe(0)
    expect(stdout).toContain('--smtp <url>')
  })

  it.each(mistakes)('says in one line what is wrong with %s', async (_what, args, said) => {
    let errors = ''
    const write = (text: string) => {
      errors += text
    }
    const code = await program(args, { write: () => {} }, { write }, new CrashLog())
    expect({ code, errors }).toEqual({ code: 1, errors: `sender: ${said}\n` })
  })
})
