/** The names of the processes of a pipeline: what it is called itself, then what each of them is. */

import { type Class, Name, name } from '../../process/name.ts'
import type { CheckedPipeline } from '../options/checked-options.ts'

export class ProcessNames {
  readonly #prefix: string
  readonly #own: CheckedPipeline['processName']
  readonly #known = new Map<string, Name>()

  constructor({ name: pipeline, processName }: Pick<CheckedPipeline, 'name' | 'processName'>) {
    this.#prefix = `${pipeline}.Broadway.`
    this.#own = processName
  }

  /** The name of a part, as text. */
  text(base: string): string {
    const own = this.#own?.(base)
    return own === undefined ? `${this.#prefix}${base}` : `${own}`
  }

  /** The name of a process. */
  of<T>(type: Class<T>, base: string): Name<T> {
    const own = this.#own?.(base)
    const bears = own instanceof Name ? (own as Name<T>) : name(type, own ?? `${this.#prefix}${base}`)
    this.#known.set(base, bears)
    return bears
  }

  /** Those that were asked for until now. */
  get known(): readonly Name[] {
    return [...this.#known.values()]
  }
}
