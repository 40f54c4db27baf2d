import { start } from 'sluice'
import { effectActor, effectActorByTheBook } from '../peers/effect-actor.ts'
import { xstateActor } from '../peers/xstate.ts'
import { type Row, rate } from '../row.ts'
import { Server } from './server.ts'

const CALLS = 1_000_000

export const call: Row = {
  id: 'call',
  work: 'GenServer call round trip, 5 s timeout armed (the peers arm none), 1 M in sequence',
  unit: 'calls a second',
  ours: {
    name: 'sluice',
    async measure() {
      const server = await start(Server)
      const result = await rate(CALLS, async () => {
        let answered = 0
        for (; answered < CALLS; answered++) await server.call.echo(answered)
        return answered
      })
      await server.stop()
      return result
    },
  },
  peers: [
    { name: 'Effect Queue and Deferred, tuned', goal: 3.3, measure: () => rate(CALLS, () => effectActor(CALLS)) },
    {
      name: 'Effect Queue and Deferred, by the book',
      goal: null,
      measure: () => rate(CALLS, () => effectActorByTheBook(CALLS)),
    },
    { name: 'xstate callback actor with reply', goal: null, measure: () => rate(CALLS, () => xstateActor(CALLS)) },
  ],
}
