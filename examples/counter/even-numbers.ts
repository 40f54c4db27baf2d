/** Only the even ones go on. For the others nothing has to be done: more is asked for until the demand is met. */

import { ProducerConsumer } from 'sluice'
import { Counter } from './counter.ts'

export class EvenNumbers extends ProducerConsumer<number, number> {
  constructor() {
    super({ subscribeTo: [{ to: Counter, maxDemand: 20 }] })
  }

  override handleEvents(numbers: readonly number[]) {
    return numbers.filter((number) => number % 2 === 0)
  }
}
