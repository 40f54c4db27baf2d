/** Counts, for people. */

const TOP = 10
const BAR = 32

/** The countries with most airports, largest first. */
export function table(countries: Iterable<readonly [country: string, airports: number]>): readonly string[] {
  const top = [...countries].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)).slice(0, TOP)
  const largest = top[0]?.[1] ?? 0
  const named = top.map(([code, count]) => ({ code, count, country: countryName(code) }))
  const width = Math.max(0, ...named.map(({ country }) => country.length))
  const digits = whole(largest).length
  return named.map(({ code, count, country }, index) => {
    const place = `${index + 1}`.padStart(2)
    return `${place}  ${country.padEnd(width)}  ${code.padEnd(2)}  ${whole(count).padStart(digits)}  ${bar(count / largest)}`
  })
}

const names = new Intl.DisplayNames('en', { type: 'region', fallback: 'code' })

export function countryName(code: string): string {
  return /^[A-Z]{2}$/.test(code) ? (names.of(code) ?? code) : code || 'no country'
}

/** A bar, exact to an eighth of a character. */
function bar(share: number): string {
  const eighths = Math.max(1, Math.round(share * BAR * 8))
  const last = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'][eighths % 8] ?? ''
  return '█'.repeat(Math.floor(eighths / 8)) + last
}

/** A number with separators: 69,899. */
export function whole(value: number): string {
  return Math.round(value).toLocaleString('en')
}
