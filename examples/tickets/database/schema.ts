/** The tables, made anew for each run. */

import { InputError } from '../../command-line/input-error.ts'
import type { Database } from './database.ts'

/** Says in the database whose schema it is. No other is ever dropped. */
const MARK = 'examples/tickets of sluice: made anew by each run'

const TABLES = `
create table users (
  id    int  primary key,
  name  text not null,
  email text not null unique
);
create table shows (
  id    text primary key,
  title text not null,
  kind  text not null,
  seats int  not null check (seats > 0),
  sold  int  not null default 0 check (sold between 0 and seats)
);
-- Whatever is delivered twice: a booking is one ticket at most, and a seat is sold once.
create table tickets (
  booking text primary key,
  show    text not null references shows,
  seat    int  not null,
  buyer   int  not null references users,
  digest  text,
  unique (show, seat)
);
create index on tickets (buyer);
create table refusals (
  booking text primary key,
  reason  text not null
);
`

/**
 * Creates the schema with empty tables, in place of the one of the run before.
 *
 * @throws `InputError` when a schema of that name belongs to somebody else.
 */
export async function createSchema({ query, execute }: Database, schema: string): Promise<void> {
  const [found] = await query<{ mark: string | null }>(
    `select obj_description(oid, 'pg_namespace') as mark from pg_namespace where nspname = $1`,
    [schema],
  )
  if (found !== undefined && found.mark !== MARK) {
    throw new InputError(`--schema: the database has a schema ${schema} that is not of this example; take another name`)
  }
  await execute(`drop schema if exists ${schema} cascade`)
  await execute(`create schema ${schema}; comment on schema ${schema} is '${MARK}'; set search_path to ${schema}`)
  await execute(TABLES)
}
