/** Reads where `handleMessage` runs. */

import type { OptionReader } from '../../stage/option-reader.ts'
import { readThreadOptions, THREAD_OPTIONS } from '../../worker/thread-options.ts'
import type { CheckedWorker } from './checked-options.ts'

const KNOWN = ['module', 'name', 'on', ...THREAD_OPTIONS]

/** `processors` are the options of the processors. @throws `BroadwayError` `bad_options`. */
export function readWorker(processors: OptionReader): CheckedWorker | undefined {
  if (!processors.has('worker')) return undefined
  const options = processors.at('worker', KNOWN)
  const module = options.get('module')
  if (typeof module !== 'string' && !(module instanceof URL)) {
    throw options.bad('module', "the URL of the module that exports handleMessage, import.meta.resolve('./handle.js')")
  }
  const name = options.string('name') ?? nameOf(processors.get('handleMessage'))
  if (name === '') {
    throw options.bad(
      'name',
      'the name under which the module exports handleMessage, which is a function without a name',
    )
  }
  return { module, name, on: options.get('on'), thread: readThreadOptions(options) }
}

function nameOf(handleMessage: unknown): string {
  return typeof handleMessage === 'function' ? handleMessage.name : ''
}
