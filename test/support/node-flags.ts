/** The flags with which Node runs a program in TypeScript, and with WEATHER=1 in bad weather. */

const weather = new URL('./weather.ts', import.meta.url).href

export const NODE_FLAGS: readonly string[] = [
  ...['--import', 'tsx'],
  ...(process.env['WEATHER'] === undefined ? [] : ['--import', weather]),
]
