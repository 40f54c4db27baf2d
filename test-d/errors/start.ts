import { child, GenServer, name, run, start, startLink, supervise } from 'sluice'

class Stack extends GenServer {
  readonly items: readonly string[]
  constructor(items: readonly string[]) {
    super()
    this.items = items
  }
  push(_item: string) {}
}
class Plain extends GenServer {}
class Pair extends GenServer {
  readonly sum: number
  constructor(a: number, b: number) {
    super()
    this.sum = a + b
  }
}
abstract class Shape extends GenServer {
  abstract area(): number
}

// The argument is there exactly when the constructor needs one.
await startLink(Stack) // error: Expected 2 arguments, but got 1.
await startLink(Stack, {}) // error: Property 'arg' is missing in type '{}' but required in type '{ readonly arg: readonly string[]; }'
await startLink(Stack, { arg: [1] }) // error: Type 'number' is not assignable to type 'string'
await startLink(Plain, { arg: 1 }) // error: Type 'number' is not assignable to type 'undefined'
child(Stack) // error: Expected 2 arguments, but got 1.
child(Stack, { id: 'stack_1' }) // error: Property 'arg' is missing
child(Stack, { arg: 'abc' }) // error: Type 'string' is not assignable to type 'readonly string[]'

// It is one argument.
// error: not assignable to type '"The constructor of a process takes one argument: put several values into one object."'
await startLink(Pair, { arg: 1 })
// error: not assignable to type '"The constructor of a process takes one argument: put several values into one object."'
child(Pair, { arg: 1 })

// A class, never an instance.
await startLink(new Plain()) // error: Expected 2 arguments, but got 1.
await startLink(new Plain(), {}) // error: Argument of type 'Plain' is not assignable to parameter of type 'new (...args: readonly unknown[]) => GenServer'
await startLink(Shape) // error: Cannot assign an abstract constructor type to a non-abstract constructor type
await startLink(Map) // error: Type 'Map<any, any>' is missing the following properties from type 'GenServer'

// Options
await start(Plain, { nmae: Plain }) // error: 'nmae' does not exist in type 'OptionsOf<Plain, []>'
await start(Plain, { name: 'plain' }) // error: Type 'string' is not assignable to type 'Class<Plain> | Name<Plain>'
await start(Stack, { arg: [], name: Plain }) // error: Type 'typeof Plain' is not assignable to type 'Class<Stack>'
await start(Plain, { restart: 'permanent' }) // error: 'restart' does not exist in type 'OptionsOf<Plain, []>'
child(Plain, { restrat: 'permanent' }) // error: 'restrat' does not exist in type 'ChildOptions<"permanent"> & StartOptions<Plain>
child(Plain, { restart: 'always' }) // error: Type '"always"' is not assignable to type 'Restart | undefined'
child(Plain, { shutdown: 'kill' }) // error: Type '"kill"' is not assignable to type 'Shutdown | undefined'
child(Plain, { id: 7 }) // error: Type 'number' is not assignable to type 'ChildId | undefined'

// Supervisors
await supervise({ strategy: 'one_for_none' }) // error: Type '"one_for_none"' is not assignable to type 'Strategy'. Did you mean '"one_for_one"'?
await supervise({ children: [] }) // error: Property 'strategy' is missing
await supervise({ strategy: 'one_for_one', maxRestart: 3 }) // error: Did you mean to write 'maxRestarts'?
await supervise({ strategy: 'one_for_one', children: [Plain] }) // error: missing the following properties from type 'ChildSpec<unknown, Restart>'
await supervise({ strategy: 'one_for_one', autoShutdown: 'always' }) // error: Type '"always"' is not assignable to type 'AutoShutdown | undefined'
await supervise({ strategy: 'one_for_one', name: Plain }) // error: Type 'typeof Plain' is not assignable to type 'Class<Supervisor>'

// Names
name('plain') // error: Argument of type 'string' is not assignable to parameter of type 'Class<unknown>'
name(Plain, 1) // error: Argument of type 'number' is not assignable to parameter of type 'string'

// Applications
await run([Plain]) // error: Type 'typeof Plain' is missing the following properties from type 'ChildSpec<unknown, Restart>'
await run([child(Plain)], { shutdwon: 1000 }) // error: 'shutdwon' does not exist in type 'RunOptions'
