/** The producer of `across-threads`, which a worker loads as well: texts of 20 characters, without end. */
import { Producer } from 'sluice'

export class Texts extends Producer<string> {
  #next = 0

  constructor() {
    super({})
  }

  override handleDemand(demand: number): readonly string[] {
    const events = new Array<string>(demand)
    for (let index = 0; index < demand; index++) events[index] = `text ${String(this.#next++).padStart(15, '0')}`
    return events
  }
}
