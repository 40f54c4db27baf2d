/** What the jobber example shows. */

import { describe, expect, it } from 'vitest'
import { Screen } from '../../examples/command-line/screen.ts'
import { logger } from '../../examples/jobber/log.ts'
import type { JobRecord, Status } from '../../examples/jobber/order.ts'
import { eventLine, progressLine, summary, table } from '../../examples/jobber/report.ts'

function record(id: string, status: Status, more: Partial<JobRecord> = {}): JobRecord {
  return { id, type: 'import', subject: '', status, attempts: 1, crashes: 0, progress: 0, remark: '', ...more }
}

describe('the report', () => {
  it('has a line for each job, in columns, numbers to the right', () => {
    expect(table([record('a', 'done', { attempts: 12, remark: '3 rows' }), record('import-2', 'failed')])).toEqual([
      'job       type    status  attempts  crashes  what became of it',
      '────────  ──────  ──────  ────────  ───────  ─────────────────',
      'a         import  done          12        0  3 rows',
      'import-2  import  failed         1        0',
    ])
  })

  it('counts the jobs of each status, and names those that were dropped', () => {
    expect(summary([record('a', 'done'), record('b', 'done')], 1234)).toEqual(['2 jobs in 1.2 s: 2 done'])
    expect(summary([record('a', 'dropped'), record('b', 'done'), record('c', 'dropped')], 0)).toEqual([
      '3 jobs in 0.0 s: 2 dropped, 1 done',
      'dropped: a, c',
    ])
  })

  it('tells how it goes in one line', () => {
    const jobs = [record('a', 'done'), record('b', 'running', { progress: 0.456 }), record('c', 'errored')]
    expect(progressLine([...jobs, record('d', 'waiting')])).toBe('1 over, 2 running, 1 waiting · b 46%')
    expect(progressLine([])).toBe('0 over, 0 running, 0 waiting')
  })

  it('tells what happened when, to which job', () => {
    expect(eventLine(1234, 'import-1', 'done', '3 rows')).toBe('  1.23 s  import-1      done      3 rows')
    expect(eventLine(0, '', '', 'it ends')).toBe('  0.00 s  it ends')
  })
})

describe('the screen', () => {
  function written(isTTY: boolean) {
    let text = ''
    const write = (more: string) => {
      text += more
    }
    const screen = new Screen({ isTTY, columns: 10, write })
    screen.status('one')
    screen.line('stays')
    screen.status('more than there is room for')
    screen.status('')
    screen.line('end')
    return text.replaceAll('\r\x1b[K', '<')
  }

  it('keeps the line that changes below those that stay, within the terminal, and takes it away', () => {
    expect(written(true)).toBe('one<stays\none<more than<end\n')
  })

  it('has only lines that stay where it is no terminal', () => {
    expect(written(false)).toBe('stays\nend\n')
  })
})

describe('the log', () => {
  function logged(verbose: boolean) {
    const lines: string[] = []
    const { info, error } = logger({ show: (line) => lines.push(line), report: (text) => lines.push(text), verbose })
    info({}, 'the application has ended')
    error({ process: 'Job#12', supervisor: 'JobSupervisor(JobRegistry/a)#11', stack: 'a stack' }, 'Job#12 crashed')
    error({ supervisor: 'JobSupervisor(JobRegistry/a)#11' }, 'JobSupervisor(JobRegistry/a)#11 gave up')
    error({ process: 'Jobber#7', stack: 'a stack' }, 'Jobber#7 crashed')
    return lines
  }

  it('leaves the crashes of jobs to the board, and tells of all others', () => {
    expect(logged(false)).toEqual(['the application has ended', 'Jobber#7 crashed\na stack\n'])
  })

  it('tells of all when it is asked to', () => {
    expect(logged(true)).toEqual([
      'the application has ended',
      'Job#12 crashed\na stack\n',
      'JobSupervisor(JobRegistry/a)#11 gave up\n',
      'Jobber#7 crashed\na stack\n',
    ])
  })
})
