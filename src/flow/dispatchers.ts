/** The dispatcher of a stage, made when it starts. */

import { BroadcastDispatcher } from '../stage/dispatchers/broadcast-dispatcher.ts'
import { DemandDispatcher } from '../stage/dispatchers/demand-dispatcher.ts'
import type { Dispatcher } from '../stage/dispatchers/dispatcher.ts'
import { PartitionDispatcher } from '../stage/dispatchers/partition-dispatcher.ts'
import type { Dispatch } from './definition.ts'

export function makeDispatcher(dispatch: Dispatch): Dispatcher {
  switch (dispatch.kind) {
    case 'demand':
      return new DemandDispatcher()
    case 'broadcast':
      return new BroadcastDispatcher()
    case 'own':
      return dispatch.make()
    case 'partition': {
      const { route, partitions = 1 } = dispatch
      return new PartitionDispatcher<unknown>({ partitions, hash: route(partitions) })
    }
  }
}
