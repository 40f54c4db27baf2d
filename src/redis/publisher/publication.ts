/** What is published, and what became of it. */

import type { PublishFailure as ConnectorPublishFailure } from '../../connector/publish-group.ts'
import type { RedisError } from '../errors.ts'

/** How a stream is kept short when an entry is added: by the number of entries, or by the first id that is kept. */
export interface Trim {
  readonly maxLength?: number | undefined
  readonly minId?: string | undefined
  /** Exactly so many, which is slower; default: about so many, never fewer. */
  readonly exact?: boolean | undefined
}

/** An entry for a stream, which has fields, or for a list, which has a value. */
export interface Publication {
  /** Default: that of the publisher. */
  readonly stream?: string | undefined
  readonly fields?: Readonly<Record<string, string | Buffer>> | undefined
  /** Default: the server chooses. */
  readonly id?: string | undefined
  readonly trim?: Trim | undefined
  /** Default: that of the publisher. */
  readonly list?: string | undefined
  readonly value?: string | Buffer | undefined
}

/** One entry of several that was not published. */
export type PublishFailure = ConnectorPublishFailure<RedisError>
