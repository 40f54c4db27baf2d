/** An event that could not be sent to another thread: the error of that says what is wrong with it, this says where it came from. */

import type { ExitReason } from '../../process/exit-reason.ts'
import { FlowError } from '../errors.ts'
import type { Plan } from '../plan.ts'

/** An event could not be sent. */
export function isLostEvent(reason: ExitReason): reason is Error {
  return reason instanceof Error && Reflect.get(reason, 'code') === 'not_cloneable'
}

/** Why a stage of a layer failed; of an event that it was to get and that could not be sent, where that came from. */
export function explained(plan: Plan, layer: number | undefined, reason: ExitReason): ExitReason {
  const group = layer === undefined ? undefined : plan.groups[layer]
  return group?.kind === 'layer' ? explainedFrom(plan, group.inputs, reason) : reason
}

/** The same for who takes events from these groups of the plan. */
export function explainedFrom({ groups }: Plan, inputs: readonly number[], reason: ExitReason): ExitReason {
  if (!isLostEvent(reason)) return reason
  const froms = inputs.map((place) => {
    const group = groups[place]
    if (group?.kind !== 'layer') return `source ${place + 1}`
    const step = groups.slice(0, place + 1).filter(({ kind }) => kind === 'layer').length
    const last = group.step.operations.at(-1)?.kind
    return `step ${step}${last === undefined ? '' : ` (${last})`}`
  })
  const where = froms.join(' or ')
  const text = `${where} emits an event that cannot be sent to another thread: ${reason.message}`
  return new FlowError('bad_return', text, reason)
}
