/** Keys of an object that are shown. */
const FEW = 5

/** A value as the text of an error shows it: short, whatever it holds. */
export function show(value: unknown): string {
  if (typeof value === 'string') return `'${value}'`
  if (typeof value === 'function') return 'a function'
  if (Array.isArray(value)) return value.length === 0 ? 'an empty array' : `an array of ${value.length}`
  if (typeof value !== 'object' || value === null) return String(value)
  const kind: string = value.constructor?.name ?? 'Object'
  if (kind !== 'Object') return `${/^[AEIOU]/.test(kind) ? 'an' : 'a'} ${kind}`
  const keys = Object.keys(value)
  const few = keys.length > FEW ? [...keys.slice(0, FEW), '...'] : keys
  return keys.length === 0 ? 'an empty object' : `an object of ${few.join(', ')}`
}
