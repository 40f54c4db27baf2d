import { start } from 'sluice'
import { effectActor } from '../peers/effect-actor.ts'
import { type Row, rate } from '../row.ts'
import { Server } from './server.ts'

const CASTS = 1_000_000

export const cast: Row = {
  id: 'cast',
  work: 'cast 1 M messages, then wait until all are handled',
  unit: 'casts (the peer: calls) a second',
  ours: {
    name: 'sluice',
    async measure() {
      const server = await start(Server)
      const result = await rate(CASTS, () => {
        for (let sent = 0; sent < CASTS; sent++) server.cast.add(1)
        return server.call.read()
      })
      await server.stop()
      return result
    },
  },
  peers: [
    { name: 'Effect Queue and Deferred, tuned: calls', goal: 8, measure: () => rate(CASTS, () => effectActor(CASTS)) },
  ],
}
