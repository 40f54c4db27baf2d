/** A class in a worker has the types of its module. */

import { type ChildSpec, child, GenServer, type Producer, type Ref, start, startLink } from 'sluice'
import { inWorker, Workers, workerModule } from 'sluice/worker'
import { expectValue } from './support.ts'

class Parser extends GenServer {
  constructor(_options: { readonly separator: string }) {
    super()
  }
  parse(line: string): readonly string[] {
    return [line]
  }
}

interface ParseModule {
  readonly Parser: typeof Parser
  readonly Numbers: new () => Producer<number>
  readonly helper: () => void
}

const url = new URL('./parse.js', import.meta.url)
const module = workerModule<ParseModule>(url)
const workers = new Workers({ size: 2 })

// Named by the module, or by the class.
const parser = await startLink(inWorker(module, 'Parser'), { arg: { separator: ';' } })
expectValue<Ref<Parser>>()(parser)
expectValue<readonly string[]>()(await parser.call.parse('a;b'))
expectValue<ChildSpec<Parser, 'permanent'>>()(
  child(inWorker<typeof Parser>(url, 'Parser'), { arg: { separator: ';' } }),
)
expectValue<ChildSpec<Producer<number>, 'permanent'>>()(child(inWorker(module, 'Numbers', { on: workers.at(0) })))

// @ts-expect-error: the argument is the one of the class
await start(inWorker(module, 'Parser'), { arg: { seperator: ';' } })
// @ts-expect-error: the argument is missing
child(inWorker(module, 'Parser'))
// @ts-expect-error: the module has no class of that name
inWorker(module, 'Parsers')
// @ts-expect-error: that is no class of processes
inWorker(module, 'helper')
// @ts-expect-error: there is no such message
parser.cast.pars('a')

// Nothing is known of the class: it takes any argument, and has no messages.
expectValue<Ref<GenServer>>()(await start(inWorker(url, 'Parser'), { arg: 1 }))
