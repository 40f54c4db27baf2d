/** What the class of a producer may do before its pipeline starts: bring processes along, and change the options. */

import { ChildSpec } from '../../otp/supervision/child-spec.ts'
import { show } from '../../stage/show.ts'
import { BroadwayError } from '../errors.ts'
import type { CheckedPipeline } from './checked-options.ts'
import { readOptions } from './read-options.ts'

/**
 * What `static prepareForStart(options)` of a class of producers returns, now or later. It is called once, when the pipeline starts,
 * with the options as they were given.
 *
 * Elixir: `prepare_for_start` of `Broadway.Producer`.
 */
export interface PreparedPipeline {
  /** Started in front of all parts of the pipeline; when one of them crashes all that comes after starts anew. */
  readonly children: readonly ChildSpec[]
  /** The options to go on with: those given, maybe with another producer. They are read anew. */
  readonly options: object
}

/** What a pipeline is to be made of. */
export interface Prepared {
  readonly children: readonly ChildSpec[]
  readonly options: CheckedPipeline
}

/** @throws `BroadwayError` `bad_return` when the method returns something else, `bad_options`. */
export async function prepareForStart(options: CheckedPipeline): Promise<Prepared> {
  const { type } = options.producer
  const prepare: unknown = Reflect.get(type, 'prepareForStart')
  if (typeof prepare !== 'function') return { children: [], options }
  const prepared: unknown = await prepare.call(type, options.given)
  if (typeof prepared !== 'object' || prepared === null || !('children' in prepared) || !('options' in prepared)) {
    throw bad(type.name, show(prepared), '{ children, options }')
  }
  const { children } = prepared
  if (!Array.isArray(children) || !children.every((each) => each instanceof ChildSpec)) {
    throw bad(type.name, `children ${show(children)}`, 'an array of child specifications')
  }
  return { children, options: readOptions(prepared.options) }
}

function bad(producer: string, returned: string, expected: string): BroadwayError {
  return new BroadwayError('bad_return', `prepareForStart of ${producer} returned ${returned}, expected ${expected}`)
}
