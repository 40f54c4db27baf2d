/** Scrapes a web site: `npx tsx --tsconfig examples/tsconfig.json examples/scraper/main.ts --help`. */

import { endWithReader } from '../command-line/output.ts'
import { program } from './program.ts'

endWithReader(process.stdout, process.stderr)
const code = await program(process.argv.slice(2), process.stdout, process.stderr)
// After Ctrl-C the application has chosen one already.
process.exitCode ??= code
