/** Counts and prints: `npx tsx --tsconfig examples/tsconfig.json examples/counter/main.ts --help`. */

import { endWithReader } from '../command-line/output.ts'
import { program } from './program.ts'

endWithReader(process.stdout, process.stderr)
process.exitCode = await program(process.argv.slice(2), process.stdout, process.stderr)
