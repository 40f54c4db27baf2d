/** Counts the open airports of the world by country: `npm run example:airports -- --help`. */

import { endWithReader } from '../command-line/output.ts'
import { program } from './program.ts'

endWithReader(process.stdout, process.stderr)
const code = await program(process.argv.slice(2), process.stdout, process.stderr)
// After Ctrl-C the application has chosen one already.
process.exitCode ??= code
