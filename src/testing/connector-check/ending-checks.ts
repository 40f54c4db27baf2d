/** Checks of what becomes of messages when something ends: pipelines, sources, connections. */

import { whereis } from '../../process/name.ts'
import { type Handle, handled, inSomeTime, type Outcome, type Shape } from './handling.ts'
import type { Trial } from './trial.ts'
import { brief, numberOf } from './words.ts'

const COUNT = 20
/** Messages that are in hand when something happens. */
const HELD = 2

/** A pipeline is killed, with messages in hand. */
export async function recoversFromKill<Site>(trial: Trial<Site>): Promise<void> {
  const { soon } = trial.harness
  const payloads = await trial.publish(COUNT, 'own')
  const hand = new Hand(trial)
  const pipeline = await trial.start(hand.handle, { maxDemand: HELD, options: soon })
  await hand.isFull()
  await pipeline.kill()
  await trial.start(handled, { options: soon })
  await trial.finish(payloads)
  await trial.settle()
}

/** Its source is killed, and started again by the pipeline. */
export async function recoversSource<Site>(trial: Trial<Site>): Promise<void> {
  const before = await trial.publish(COUNT, 'own')
  const hand = new Hand(trial)
  const { ref } = await trial.start(hand.handle, { maxDemand: HELD, options: trial.harness.soon })
  await hand.isFull()
  for (const name of await ref.call.producerNames()) whereis(name)?.kill()
  trial.step('its source killed')
  hand.open()
  await trial.finish([...before, ...(await trial.publish(COUNT, 'own'))])
  await trial.settle()
}

/** A processor dies, with messages in hand. */
export async function recoversLost<Site>(trial: Trial<Site>): Promise<void> {
  const payloads = await trial.publish(COUNT, 'own')
  const handle: Handle = (handling, stage) => {
    if (trial.handlings.indexOf(handling) !== HELD) return 'ok'
    trial.step('a processor killed')
    stage.self.kill()
    return new Promise(() => {})
  }
  await trial.start(handle, { options: trial.harness.soon })
  await trial.finish([...payloads, ...(await trial.publish(COUNT, 'own'))])
  await trial.settle()
}

/** Connections are lost with messages in hand, and again with none. */
export async function reconnects<Site>(trial: Trial<Site>): Promise<void> {
  const { harness, site } = trial
  const disrupt = async (): Promise<void> => {
    trial.step('connections cut')
    await harness.disrupt?.(site)
  }
  const before = await trial.publish(COUNT, 'own')
  const hand = new Hand(trial)
  await trial.start(hand.handle, { maxDemand: HELD, options: harness.soon })
  await hand.isFull()
  await disrupt()
  hand.open()
  await trial.finish([...before, ...(await trial.publish(COUNT, 'own'))])
  await trial.acknowledged()
  await disrupt()
  await trial.finish(await trial.publish(COUNT, 'own'))
  await trial.settle()
}

/** It is stopped in the middle of its work, without batches, and with some that are not complete. */
export async function drains<Site>(trial: Trial<Site>): Promise<void> {
  for (const shape of [{}, { batchSize: 7 }]) await drainsOnce(trial, shape)
}

async function drainsOnce<Site>(trial: Trial<Site>, shape: Shape): Promise<void> {
  const { harness, site } = trial
  const payloads = await trial.publish(2 * COUNT)
  const pipeline = await trial.start(inSomeTime(trial.random, 5), shape)
  await trial.until('messages to be handled', () => {
    const done = payloads.length - trial.unfinished(payloads).length
    return done >= COUNT / 2 ? undefined : `${done}`
  })
  await pipeline.stop()
  const cut = trial.handlings.filter(({ finished }) => !finished)
  if (cut.length > 0) trial.fail('a pipeline that ends to finish what it has begun', `unfinished ${brief(cut)}`)
  const rest = trial.unfinished(payloads)
  const { connections } = harness
  if (connections !== undefined) {
    await trial.until('no connection to stay open', async () => {
      const open = await connections.call(harness, site)
      return open === 0 ? undefined : `${open}`
    })
  }
  await trial.leaves(rest.length)
  const next = await trial.start(handled)
  await trial.finish(rest)
  await next.stop()
  const again = trial.handlings.filter(({ nth }) => nth > 1)
  if (again.length > 0) trial.fail('each message to be handled once', `again ${brief(again)}`)
  await trial.leaves(0)
}

/** Handles some messages, and then keeps what it is given until it is opened. */
class Hand<Site> {
  readonly handle: Handle
  readonly #trial: Trial<Site>
  readonly #held: (() => void)[] = []
  #isOpen = false

  constructor(trial: Trial<Site>) {
    this.#trial = trial
    let begun = 0
    this.handle = () => {
      if (this.#isOpen || ++begun <= HELD) return 'ok'
      return new Promise<Outcome>((resolve) => this.#held.push(() => resolve('ok')))
    }
  }

  /** Waits until several processors have a message in hand. */
  async isFull(): Promise<void> {
    await this.#trial.until(`${numberOf(HELD)} to be in hand`, () =>
      this.#held.length >= HELD ? undefined : `${this.#held.length}`,
    )
  }

  open(): void {
    this.#isOpen = true
    for (const finish of this.#held.splice(0)) finish()
  }
}
