import { GenServer, name, startLink, supervise, whereis } from 'sluice'

class Stack extends GenServer {
  readonly limit: number = 10
  #items: string[] = []
  pop() {
    return this.#items.shift()
  }
  push(item: string) {
    this.check()
    this.#items.unshift(item)
  }
  protected audit() {}
  private check() {}
  override handleInfo() {}
}
const stack = await startLink(Stack)

// Messages
stack.call.peek() // error: Property 'peek' does not exist on type 'Calls<Stack>'
stack.call.push(1) // error: Argument of type 'number' is not assignable to parameter of type 'string'
stack.call.push() // error: Expected 1 arguments, but got 0.
stack.cast.push(1) // error: Argument of type 'number' is not assignable to parameter of type 'string'
stack.cast.pop().length // error: Property 'length' does not exist on type 'void'
stack.pop() // error: Property 'pop' does not exist on type 'Ref<Stack>'
export const top: string = await stack.call.pop() // error: Type 'string | undefined' is not assignable to type 'string'
export const unawaited: string | undefined = stack.call.pop() // error: Type 'Promise<string | undefined>' is not assignable to type 'string'

// No messages
stack.call.limit // error: Property 'limit' does not exist on type 'Calls<Stack>'
stack.call.handleInfo('x') // error: Property 'handleInfo' does not exist on type 'Calls<Stack>'
stack.cast.init() // error: Property 'init' does not exist on type 'Casts<Stack>'
stack.cast.terminate('normal') // error: Property 'terminate' does not exist on type 'Casts<Stack>'
stack.call.stop() // error: Property 'stop' does not exist on type 'Calls<Stack>'
stack.call.later() // error: Property 'later' does not exist on type 'Calls<Stack>'
stack.call.audit() // error: Property 'audit' does not exist on type 'Calls<Stack>'
stack.call.check() // error: Property 'check' does not exist on type 'Calls<Stack>'

// Names
whereis(Stack).cast.push('a') // error: Object is possibly 'undefined'
whereis('stack') // error: Argument of type 'string' is not assignable to parameter of type
name(Stack, 'a').cast.peek() // error: Property 'peek' does not exist on type 'Casts<Stack>'

// Options of one call
stack.with({ timeuot: 500 }) // error: 'timeuot' does not exist in type 'CallOptions'
await stack.stop({ drian: true }) // error: 'drian' does not exist in type 'StopOptions'

// Supervisors
const supervisor = await supervise({ strategy: 'one_for_one' })
supervisor.call.startChild(Stack) // error: missing the following properties from type 'ChildSpec<unknown, Restart>'
supervisor.call.terminateChild(stack) // error: Argument of type 'Ref<Stack>' is not assignable to parameter of type 'ChildId'
supervisor.call.start_child() // error: Did you mean 'startChild'?
