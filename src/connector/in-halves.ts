/** Publishing to a server that refuses a whole request for one bad message, and does not say which. */

export interface HalvesPlan<T, E> {
  /** Resolves when the server has all of them. */
  send(some: readonly T[]): Promise<void>
  /** The server has understood the request and will not take it; nobody knows what became of any other. */
  isRefusal(error: unknown): boolean
  /** Others of them may be taken without the one that this is about. */
  isAboutOne(error: unknown, some: readonly T[]): boolean
  /** What a message that was not taken gets. */
  refused(error: unknown): E
}

/**
 * Sends all in one request; when that is refused, in halves, one after the other, so that order is kept, until what is bad is alone.
 * Resolves with an error for each that was refused, and `undefined` for each that the server has; rejects when nobody knows.
 */
export async function sendInHalves<T, E>(
  all: readonly T[],
  plan: HalvesPlan<T, E>,
): Promise<readonly (E | undefined)[]> {
  try {
    if (all.length > 0) await plan.send(all)
    return all.map(() => undefined)
  } catch (error) {
    if (!plan.isRefusal(error)) throw error
    if (all.length === 1 || !plan.isAboutOne(error, all)) {
      const refused = plan.refused(error)
      return all.map(() => refused)
    }
    const middle = Math.ceil(all.length / 2)
    const first = await sendInHalves(all.slice(0, middle), plan)
    return [...first, ...(await sendInHalves(all.slice(middle), plan))]
  }
}
