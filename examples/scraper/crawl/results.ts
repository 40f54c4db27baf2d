/** The visits as lines of JSON, on their way into a file. */

import { QueueProducer } from 'sluice'

export class Results extends QueueProducer<string> {
  constructor() {
    super({ capacity: Infinity })
  }
}
