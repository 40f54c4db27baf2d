/** Runs steps one after the other, and tells how long they took. */

import type { Screen } from '../../command-line/screen.ts'
import { lineParser } from './line-parser.ts'
import type { Settings, Step } from './steps.ts'

export async function demonstrate(steps: readonly Step[], settings: Settings, screen: Screen): Promise<void> {
  // What is wrong with the file is told before anything is shown.
  await lineParser(settings.path)
  const took: string[] = []
  for (const step of steps) {
    screen.line(`${step.name}. ${step.title}  --step ${step.name}\n`)
    const began = performance.now()
    const lines = await step.run(settings, screen)
    const ms = performance.now() - began
    for (const line of lines) screen.line(line === '' ? '' : `   ${line}`)
    screen.line(`\n${step.lesson}\n`)
    took.push(`${(ms / 1000).toFixed(2).padStart(7)} s  ${step.name}. ${step.title}`)
  }
  for (const line of took) screen.line(line)
}
