import { child, DynamicSupervisor, startLink } from 'sluice'
import { xstateLifecycle } from '../peers/xstate-lifecycle.ts'
import { type Row, rate } from '../row.ts'
import { Server } from './server.ts'

const PAIRS = 200_000

export const dynamicSupervisor: Row = {
  id: 'dynamic-supervisor',
  work: 'DynamicSupervisor start and terminate a child, 200 k in sequence',
  unit: 'pairs a second',
  ours: {
    name: 'sluice',
    async measure() {
      const supervisor = await startLink(DynamicSupervisor)
      const { call } = supervisor
      const result = await rate(PAIRS, async () => {
        let ended = 0
        for (; ended < PAIRS; ended++) {
          const ref = await call.startChild(child(Server, { restart: 'temporary' }))
          if (ref !== undefined) await call.terminateChild(ref)
        }
        return ended
      })
      await supervisor.stop()
      return result
    },
  },
  peers: [
    {
      name: 'xstate create, start and stop',
      goal: 1,
      measure: () => rate(PAIRS, () => xstateLifecycle(PAIRS)),
    },
  ],
}
