/** A dispatcher by itself: it serves the producing side of a stage whose consumers only exist on paper. */

import { isCast, payloadOf, type Tag } from '../../process/message.ts'
import { Process } from '../../process/process.ts'
import type { Runtime } from '../../process/runtime.ts'
import { StageError } from '../../stage/errors.ts'
import { Outlet } from '../../stage/outlet.ts'
import { isAsk, isCancel, isProtocol, Subscription } from '../../stage/subscription.ts'
import { Referee } from './referee.ts'
import type { Step } from './steps.ts'
import { type Candidate, type Failure, MOST_EVENTS, runTrial } from './trial.ts'

/** Never runs: what it is sent is for `heard`. */
class Paper extends Process {
  readonly #heard: (tag: Tag, payload: unknown) => void

  constructor(runtime: Runtime, label: string, heard: (tag: Tag, payload: unknown) => void) {
    super(runtime, undefined, label)
    this.behaviour = { receive: () => {}, crashed: () => {}, ended: () => {} }
    this.#heard = heard
  }

  override deliver(tag: Tag, payload: unknown): void {
    this.#heard(tag, payload)
  }
}

/** @param eager The producer emits at once what it is asked for. */
export function tryAlone(
  candidate: Candidate,
  steps: readonly Step[],
  eager: boolean,
  runtime: Runtime,
): Promise<Failure | undefined> {
  // What the dispatcher asks for by itself, or in the place of a consumer that it may cancel, too: it takes effect after the step.
  const mailbox: (() => void)[] = []
  const producer = new Paper(runtime, 'the producer', (tag, payload) => {
    if (isCast(tag)) mailbox.push(() => tag.subject())
    if (!isProtocol(tag)) return
    const subscription = tag.subject
    if (isAsk(tag)) mailbox.push(() => ask(subscription, payloadOf(tag, payload)))
    else if (isCancel(tag)) mailbox.push(() => leave(subscription))
  })
  const dispatcher = candidate.make()
  const referee = new Referee(dispatcher, candidate)
  const emit = (count: number): void => {
    const events = Array.from({ length: count }, (_, index) => candidate.event(referee.emitted + index))
    referee.emits(events)
    outlet.emit(events)
  }
  let answers = eager
  const onDemand = (demand: number): void => {
    referee.demanded(demand)
    if (answers && referee.emitted < MOST_EVENTS) emit(demand)
  }
  const outlet = new Outlet(
    { process: producer, onDemand, reportsDiscarded: () => false },
    { demand: 'forward', bufferSize: Infinity, bufferKeep: 'last', dispatcher },
  )
  let subscriptions: readonly Subscription[] = []
  const ask = (subscription: Subscription, demand: number): void => {
    if (subscriptions.includes(subscription)) outlet.ask(subscription, demand)
  }
  const leave = (subscription: Subscription): void => {
    if (!subscriptions.includes(subscription)) return
    subscriptions = subscriptions.filter((other) => other !== subscription)
    outlet.demand(outlet.release(subscription))
  }
  return runTrial(candidate, steps, referee, {
    get present() {
      return subscriptions.map(({ options }) => options)
    },
    subscribe(options) {
      const consumer = new Paper(runtime, 'a consumer', () => {})
      const subscription = new Subscription(runtime.nextId(), consumer, producer, options)
      const refused = outlet.accept(subscription)
      if (refused instanceof StageError) throw refused
      if (refused === undefined) subscriptions = [...subscriptions, subscription]
    },
    ask(who, count) {
      const subscription = subscriptions[who]
      if (subscription !== undefined) ask(subscription, count)
    },
    leave(who) {
      const subscription = subscriptions[who]
      if (subscription !== undefined) leave(subscription)
    },
    emit,
    info: () => outlet.info(referee.infoComes()),
    close() {
      answers = false
    },
    rest() {
      for (let next = mailbox.shift(); next !== undefined; next = mailbox.shift()) next()
    },
  })
}
