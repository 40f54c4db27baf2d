import { Consumer, GenServer, Producer, ProducerConsumer } from 'sluice'

// Members of ours cannot become messages.
export class Machine extends GenServer {
  override stop() {} // error: defines instance member property 'stop', but extended class 'Machine' defines it as instance member function
  // error: defines instance member property 'later', but extended class 'Machine' defines it as instance member function
  // error: Property 'later' in type 'Machine' is not assignable to the same property in base type 'GenServer'
  override later() {}
  // error: defines instance member accessor 'self', but extended class 'Machine' defines it as instance member function
  // error: Property 'self' in type 'Machine' is not assignable to the same property in base type 'GenServer'
  override self() {}
  // There is no emit in a server, so it may have one.
  emit() {}
}
export class Source extends Producer<number> {
  override handleDemand() {}
  // error: defines instance member property 'emit', but extended class 'Source' defines it as instance member function
  override emit(_events: readonly number[]) {}
}
export class Sink extends Consumer<number> {
  override handleEvents() {}
  // error: defines instance member property 'subscribe', but extended class 'Sink' defines it as instance member function
  // error: Property 'subscribe' in type 'Sink' is not assignable to the same property in base type 'Consumer<number>'
  override subscribe() {}
}

// Misspelt callbacks
export class Misspelt extends GenServer {
  override handelInfo() {} // error: Did you mean 'handleInfo'?
  handleInfo() {} // error: This member must have an 'override' modifier because it overrides a member in the base class 'GenServer'
}

// Missing callbacks
export class Empty extends Producer<number> {} // error: does not implement inherited abstract member handleDemand
export class Idle extends Consumer<number> {} // error: does not implement inherited abstract member handleEvents

// Events are arrays of their type.
export class Digits extends Producer<number> {
  override handleDemand() { // error: Type 'string' is not assignable to type 'number'
    return ['one']
  }
  override handleInfo() { // error: Type 'string' is not assignable to type 'number'
    return ['two']
  }
  override handleCancel() { // error: Type 'number' is not assignable to type 'Emitted<number> | undefined'
    return 3
  }
}
export class Doubler extends ProducerConsumer<number, number> {
  override async handleEvents(numbers: readonly number[]) { // error: Type 'string' is not assignable to type 'number'
    return numbers.map((n) => `${n + n}`)
  }
}
export class Reader extends Consumer<number> {
  // error: Types of parameters 'events' and 'events' are incompatible
  override handleEvents(events: readonly string[]) {
    events.join()
  }
}
export class Emitting extends Consumer<number> {
  // error: Type 'number[]' is not assignable to type 'void | Promise<void>'
  override handleEvents() {
    return [1]
  }
}

// A choice is a constant, not a word.
export class Choosing extends Consumer<number> {
  override handleEvents() {}
  // error: Type 'string' is not assignable to type 'void | Manual'
  override handleSubscribe() {
    return 'manual'
  }
}
