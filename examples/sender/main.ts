/** Sends mails in five ways: `npx tsx --tsconfig examples/tsconfig.json examples/sender/main.ts --help`. */

import { endWithReader } from '../command-line/output.ts'
import { CrashLog } from './crash-log.ts'
import { program } from './program.ts'

endWithReader(process.stdout, process.stderr)
process.exitCode = await program(process.argv.slice(2), process.stdout, process.stderr, new CrashLog())
