/** An error in a few words. */
export function problemOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  // What fetch throws says that it failed; its cause says why.
  return error.cause instanceof Error ? error.cause.message || error.message : error.message
}
