/** Sells tickets: `npm start`, `npm start -- --help`. */

import { endWithReader } from '../command-line/output.ts'
import { program } from './program.ts'

endWithReader(process.stdout, process.stderr)
// After Ctrl-C the application has chosen one already, before it was known what is left.
process.exitCode = await program(process.argv.slice(2), process.env, process.stdout, process.stderr)
// A connection to a server that does not answer would keep the program for minutes.
setTimeout(() => process.exit(), 1000).unref()
