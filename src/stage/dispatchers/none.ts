/** What says that an event is for nobody. */

/** The type of `none`. A class, because the compiler widens a returned symbol. */
export class None {
  readonly #choice = 'none'

  toString(): string {
    return this.#choice
  }
}

/** What the hash of a `PartitionDispatcher` returns for an event that is for nobody: it is dropped and counts as not emitted. */
export const none: None = new None()
