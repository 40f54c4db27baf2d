/** A program that begins with the module of its flow: workers would run it again. */

import { defineFlow, Flow, runFlow } from 'sluice/flow'

const own = defineFlow(import.meta, () => Flow.from([1]).map((n) => n))

try {
  await runFlow(own, undefined, { workers: 1 })
} catch (error) {
  console.log(String(error))
}
