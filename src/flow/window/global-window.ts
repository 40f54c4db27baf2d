/** The global window: one for each stage, from its start to the end of its input. */

import type { OpenWindow, Pane, WindowDefinition, WindowHost, WindowStep } from './window.ts'

export class GlobalWindow implements WindowDefinition {
  readonly type = 'global'

  open<P extends Pane>(host: WindowHost<P>): OpenWindow<P> {
    const pane = host.pane('global')
    const steps: WindowStep<P>[] = []
    return {
      batch(events) {
        steps[0] = { pane, events }
        return steps
      },
      end: () => [{ pane, trigger: 'done', closes: true }],
    }
  }
}
