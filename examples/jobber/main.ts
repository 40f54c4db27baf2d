/** Runs jobs that fail, crash and come through: `npx tsx --tsconfig examples/tsconfig.json examples/jobber/main.ts --help`. */

import { endWithReader } from '../command-line/output.ts'
import { program } from './program.ts'

endWithReader(process.stdout, process.stderr)
process.exitCode = await program(process.argv.slice(2), process.stdout, process.stderr)
