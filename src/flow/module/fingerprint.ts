/**
 * What a flow does, in lines that can be compared between threads: the groups of its plan, their options and operations, and of each
 * function how many arguments it takes and a hash of its text. Two threads that built different flows of one module would send events
 * to stages that expect others, so the first difference is an error.
 */

import { stableHash } from '../../otp/stable-hash.ts'
import type { Dispatch } from '../definition.ts'
import type { Operation } from '../operation.ts'
import type { Group, Plan } from '../plan.ts'
import type { StepOptions } from '../step-options.ts'
import { AnyWindow } from '../window/any-window.ts'

/** One part of a flow. Plain data. */
interface FingerprintLine {
  /** Where it stands: `step 2, operation 1`. */
  readonly place: string
  /** What it is, without the texts of functions. */
  readonly what: string
  /** A hash of the texts of its functions. */
  readonly code: number
}

export type Fingerprint = readonly FingerprintLine[]

export function fingerprintOf({ groups }: Plan): Fingerprint {
  let steps = 0
  return groups.flatMap((group, index) => {
    if (group.kind !== 'layer') return [line(`source ${index + 1}`, ...sourceParts(group))]
    const place = `step ${++steps}`
    const { inputs, stages, dispatch, join, departition, step } = group
    return [
      line(place, `${stages} stages behind ${inputs.join(' and ')}`, [
        optionParts(step.options),
        dispatchParts(dispatch),
      ]),
      ...(join === undefined ? [] : [line(place, 'join', [join])]),
      ...(departition === undefined ? [] : [line(place, 'departition', [departition])]),
      ...step.operations.map((operation, at) =>
        line(`${place}, operation ${at + 1}`, operation.kind, operationParts(operation)),
      ),
    ]
  })
}

/**
 * The first difference between two fingerprints, as a sentence; `undefined` when there is none. `here` and `there` are what the threads
 * are called. Without `texts` the texts of functions may differ, as they do when one of the threads got them from a bundler.
 */
export function firstDifference(
  one: Fingerprint,
  other: Fingerprint,
  { here, there, texts = true }: { readonly here: string; readonly there: string; readonly texts?: boolean },
): string | undefined {
  for (let index = 0; index < Math.max(one.length, other.length); index++) {
    const a = one[index]
    const b = other[index]
    if (a !== undefined && b !== undefined && a.place === b.place) {
      if (a.what !== b.what) return `${a.place} is ${a.what} ${here}, and ${b.what} ${there}`
      if (texts && a.code !== b.code)
        return `a function of ${a.place}, ${a.what}, has another text ${here} than ${there}`
    } else if (a !== undefined && !other.slice(index).some(({ place }) => place === a.place)) {
      return `${a.place}, ${a.what}, exists ${here} only`
    } else if (b !== undefined) {
      return `${b.place}, ${b.what}, exists ${there} only`
    }
  }
  return undefined
}

function line(place: string, kind: string, parts: readonly unknown[]): FingerprintLine {
  const texts: string[] = []
  const described = parts.map((part) => describe(part, texts)).filter((text) => text !== '')
  return { place, what: [kind, ...described].join(' '), code: stableHash(texts.join('\n')) }
}

function sourceParts(group: Exclude<Group, { readonly kind: 'layer' }>): [kind: string, parts: readonly unknown[]] {
  switch (group.kind) {
    case 'iterables':
      return [`${group.iterables.length} iterables`, [group.iterables.map(kindOf), dispatchParts(group.dispatch)]]
    case 'stages':
      return [`${group.stages.length} running producers`, []]
    case 'specs':
      return [`${group.specs.length} producers`, []]
    case 'through':
      return [`${group.through.length} stages in the middle`, [group.inputs]]
  }
}

function kindOf(source: object): string {
  return typeof source === 'function' ? 'function' : source.constructor.name
}

function operationParts({ kind: _, ...parts }: Operation): readonly unknown[] {
  return Object.values(parts)
}

function optionParts({ window, ...options }: StepOptions<never>): object {
  const shown = window instanceof AnyWindow ? [window.type, window.parts.given] : window?.type
  return { ...options, window: shown }
}

function dispatchParts(dispatch: Dispatch): object {
  return dispatch.kind === 'partition' ? { ...dispatch, route: undefined } : dispatch
}

/** A value as text; what it has of functions is added to `texts`. Instances of classes are known by their names. */
function describe(value: unknown, texts: string[]): string {
  if (typeof value === 'function') {
    texts.push(Function.prototype.toString.call(value))
    return `(of ${value.length})`
  }
  if (Array.isArray(value)) return `[${value.map((each) => describe(each, texts)).join(', ')}]`
  if (typeof value !== 'object' || value === null) return typeof value === 'string' ? `'${value}'` : String(value)
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return value.constructor.name
  const entries = Object.entries(value).filter(([, each]) => each !== undefined)
  if (entries.length === 0) return ''
  return `{ ${entries.map(([name, each]) => `${name}: ${describe(each, texts)}`).join(', ')} }`
}
