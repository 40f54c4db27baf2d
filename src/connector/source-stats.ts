/** How a source stands: what its `stats()` says, in the same words for every server. */

export interface SourceStats {
  /** It has a connection; or, where there is none that stays, the server has answered what it was asked last. */
  readonly connected: boolean
  /**
   * Messages at the server that nobody has got yet, of all sources, of Kafka those for this one; `undefined` when the server cannot be
   * asked. Not all servers tell.
   */
  readonly waiting?: number | undefined
  /** Messages that the source has given to its pipeline, and nobody has answered for; `undefined` when it does not keep them. */
  readonly unanswered: number | undefined
}
