/** Where the numbers come from: as many as are asked for, one after the other. */

import { Producer } from 'sluice'

export class Counter extends Producer<number> {
  #next: number

  constructor(from: number) {
    super()
    this.#next = from
  }

  override handleDemand(demand: number) {
    return Array.from({ length: demand }, () => this.#next++)
  }
}
