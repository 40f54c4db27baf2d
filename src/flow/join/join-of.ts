/** Builds a join of two flows, and says what is wrong with what it was given. */

import { show } from '../../stage/show.ts'
import { AnyFlow, definitionOf } from '../any-flow.ts'
import type { StepDefinition } from '../definition.ts'
import { FlowError } from '../errors.ts'
import { checkStepOptions } from '../step-options.ts'
import type { WindowDefinition } from '../window/window.ts'
import type { Join, JoinMode, JoinOptions } from './join.ts'

const MODES: readonly JoinMode[] = ['inner', 'left_outer', 'right_outer', 'full_outer']

/** A join of everything. @throws `FlowError` `bad_options`. */
export function boundedJoinOf(
  left: AnyFlow<unknown>,
  right: AnyFlow<unknown>,
  join: Join,
  options: JoinOptions,
): StepDefinition {
  return joinOf('boundedJoin', left, right, join, options)
}

/** A join in windows. @throws `FlowError` `bad_options`. */
export function windowJoinOf(
  left: AnyFlow<unknown>,
  right: AnyFlow<unknown>,
  window: WindowDefinition<never>,
  join: Join,
  options: JoinOptions,
): StepDefinition {
  // An object of options says what is wrong with a window; with none there would be nothing to say.
  return joinOf('windowJoin', left, right, join, options, { window: window ?? null })
}

function joinOf(
  what: string,
  left: unknown,
  right: unknown,
  join: Join,
  options: JoinOptions,
  more: object = {},
): StepDefinition {
  if (!MODES.includes(join.mode)) {
    throw bad(what, 'mode', join.mode, `one of ${MODES.map((mode) => `'${mode}'`).join(', ')}`)
  }
  for (const name of ['leftKey', 'rightKey', 'join'] as const) {
    if (typeof join[name] !== 'function') throw bad(what, name, join[name], 'a function')
  }
  checkStepOptions(what, options)
  if ('window' in options) {
    throw bad(what, 'options', options, 'no window among them: windowJoin takes its window before the keys')
  }
  const all = { ...options, ...more }
  checkStepOptions(what, all)
  const source = {
    kind: 'join',
    left: sideOf(what, 'left', left),
    right: sideOf(what, 'right', right),
    join,
  } as const
  return { source, options: all, operations: [] }
}

function sideOf(what: string, side: string, flow: unknown): StepDefinition {
  if (flow instanceof AnyFlow) return definitionOf(flow)
  throw bad(what, `${side} side`, flow, 'a flow; several become one with Flow.shuffle')
}

function bad(what: string, argument: string, given: unknown, expected: string): FlowError {
  return new FlowError('bad_options', `${argument} of ${what}: expected ${expected}, got ${show(given)}`)
}
