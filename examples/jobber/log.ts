/** What the runtime reports, next to what the board tells. */

import type { Logger } from 'sluice'

export interface LogOptions {
  /** Takes a line of how it goes. */
  readonly show: (line: string) => void
  /** Takes the text of a warning or an error. */
  readonly report: (text: string) => void
  /** Reports the crashes of jobs too; the board tells of them in a line. */
  readonly verbose: boolean
}

const OF_A_JOB = /^Job(Supervisor)?[#(]/

export function logger({ show, report, verbose }: LogOptions): Logger {
  const problem = (fields: object, message: string) => {
    const { process, supervisor, stack }: Fields = fields
    if (!verbose && OF_A_JOB.test(process ?? supervisor ?? '')) return
    report(`${message}\n${stack === undefined ? '' : `${stack}\n`}`)
  }
  return { debug: () => {}, info: (_fields, message) => show(message), warn: problem, error: problem }
}

interface Fields {
  readonly process?: string
  readonly supervisor?: string
  readonly stack?: string | undefined
}
