/** Why a server does not answer, or refuses something, for people. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  // A host with several addresses fails once for each, in an error without a message; several things that are asked for at once do so, too.
  if ('errors' in error && Array.isArray(error.errors)) return error.errors.map(reasonOf).join(', ')
  return error.message
}
