/** What errors of the checks say of messages. */

/** `1 message`, `2 messages`. */
export function numberOf(count: number): string {
  return `${count} message${count === 1 ? '' : 's'}`
}

/** The numbers that texts begin with, some of them. */
export function brief(payloads: readonly { readonly text: string }[], most = 10): string {
  if (payloads.length === 0) return 'no message'
  const numbers = payloads.slice(0, most).map(({ text }) => cut(text))
  return `message ${numbers.join(', ')}${payloads.length > most ? ', ...' : ''}`
}

export function cut(text: string): string {
  const [first = ''] = text.split(' ', 1)
  return first.slice(0, 40)
}

/** An error with all that it was caused by. */
export function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause === undefined ? error.message : `${error.message}: ${textOf(error.cause)}`
}
