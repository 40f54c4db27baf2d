/** A database that sells no tickets for a while. */

import { GenServer } from 'sluice'
import type { Database } from './database/database.ts'

export interface OutageOptions {
  readonly database: Database
  /** Called when it has begun. */
  readonly begun: () => void
  /** Milliseconds. */
  readonly lasts: number
}

const REFUSE = `
create function refuse() returns trigger language plpgsql as
  $$ begin raise exception 'the box office is closed for stocktaking'; end $$;
create trigger closed before insert on tickets for each statement execute function refuse();
`
const ACCEPT = 'drop trigger closed on tickets; drop function refuse'

export class Outage extends GenServer {
  readonly #options: OutageOptions

  constructor(options: OutageOptions) {
    super()
    this.#options = options
  }

  /** It is the database that refuses, whoever asks. */
  async begin() {
    const { database, begun, lasts } = this.#options
    await database.execute(REFUSE)
    begun()
    await this.sleep(lasts)
    await database.execute(ACCEPT)
  }
}
