/** Why a server does not answer, or refuses something, for people. */
export function reasonOf(error: unknown): string {
  // A host with several addresses fails once for each, in an error without a message.
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join(', ')
  return error instanceof Error ? error.message : String(error)
}
