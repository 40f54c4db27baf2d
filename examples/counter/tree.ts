/** The processes, producers first: when one of them fails, those after it start again with it. */

import { child } from 'sluice'
import { Counter } from './counter.ts'
import { EvenNumbers } from './even-numbers.ts'
import { Printer } from './printer.ts'

export interface TreeOptions {
  readonly from: number
  readonly printers: number
  readonly batches: number
  readonly pace: number
  /** `printer` is counted from 0. */
  readonly print: (printer: number, numbers: readonly number[]) => void
}

export function tree({ from, printers, batches, pace, print }: TreeOptions) {
  return [
    child(Counter, { arg: from, name: Counter }),
    child(EvenNumbers, { name: EvenNumbers }),
    ...Array.from({ length: printers }, (_, printer) =>
      child(Printer, {
        id: `printer_${printer}`,
        arg: { batches, pace, print: (numbers: readonly number[]) => print(printer, numbers) },
        // It ends when it has printed enough, and when all have, so does the program.
        restart: 'transient',
        significant: true,
      }),
    ),
  ]
}
