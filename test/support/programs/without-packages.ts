/** Reads a CSV file with the sources in a folder that has no packages, and tells how that failed. */

import { pathToFileURL } from 'node:url'

const [folder = '', path = ''] = process.argv.slice(2)
const { files } = await import(`${pathToFileURL(folder)}/flow/index.ts`)
try {
  for await (const _row of files.csv(path));
} catch (error) {
  if (error instanceof Error && 'code' in error) console.log(`${error.code}: ${error.message}`)
}
