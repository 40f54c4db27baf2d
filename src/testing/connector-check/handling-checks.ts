/** Checks of a pipeline that runs: what reaches it, in which order, how much at a time, and what becomes of it at the server. */

import { type Handling, handled, inSomeTime, type Outcome } from './handling.ts'
import type { Trial } from './trial.ts'
import { brief, numberOf } from './words.ts'

/** Messages of a check. */
const COUNT = 20

/** Published before the pipeline starts, and while it runs; some of them long. */
export async function delivers<Site>(trial: Trial<Site>): Promise<void> {
  const before = await trial.publish(COUNT)
  const pipeline = await trial.start(handled, { sources: 2 })
  await trial.finish(before)
  await trial.finish([...(await trial.publish(1)), ...(await trial.publish(COUNT))])
  await pipeline.stop()
}

/** Handled one by one, and in batches. */
export async function acknowledges<Site>(trial: Trial<Site>): Promise<void> {
  for (const batchSize of [undefined, 7]) {
    const payloads = await trial.publish(COUNT)
    const known = trial.handlings.length
    const old = new Set(trial.handlings.map(({ text }) => text))
    const pipeline = await trial.start(handled, batchSize === undefined ? {} : { batchSize })
    await trial.finish(payloads)
    await pipeline.stop()
    const again = trial.handlings.slice(known).filter(({ text }) => old.has(text))
    if (again.length > 0) trial.fail('nothing to come again that was handled', `again ${brief(again)}`)
  }
  await trial.leaves(0)
  await trial.nothingComesAgain()
}

/** Of three messages one is handled, one is returned as failed, one throws; what comes again is handled then. */
export async function redelivers<Site>(trial: Trial<Site>): Promise<void> {
  const { harness, published } = trial
  const fate = ({ text }: { readonly text: string }): number => published.findIndex((other) => other.text === text) % 3
  const payloads = await trial.publish(COUNT)
  const pipeline = await trial.start((handling): Outcome => {
    if (handling.nth > 1 || fate(handling) === 0) return 'ok'
    if (fate(handling) === 1) return 'failed'
    throw new Error('as the check wants it')
  })
  if (harness.redelivers) await trial.finish(payloads)
  else {
    await trial.until('every message to be handled once', () => {
      const missing = payloads.filter(({ text }) => !trial.handlings.some((each) => each.text === text))
      return missing.length === 0 ? undefined : `not yet ${brief(missing)}`
    })
  }
  await pipeline.stop()
  await trial.leaves(0)
  await trial.nothingComesAgain()
  const again = trial.handlings.filter(({ nth, text }) => nth > 1 && text !== '')
  if (!harness.redelivers && again.length > 0) trial.fail('what failed not to come again', `again ${brief(again)}`)
  const isRedelivered = harness.isRedelivered?.bind(harness)
  if (isRedelivered === undefined) return
  const wrong = trial.handlings.filter(({ message, nth }) => isRedelivered(message) !== nth > 1)
  if (wrong.length > 0) trial.fail('messages to say truly whether they were delivered before', `not ${brief(wrong)}`)
}

/** One message throws whenever it comes, until all others are done. */
export async function isolates<Site>(trial: Trial<Site>): Promise<void> {
  const before = await trial.publish(COUNT / 2)
  const poison = await trial.publish(1, 'own')
  const payloads = [...before, ...(await trial.publish(COUNT / 2))]
  let mercy = false
  const isPoison = ({ text }: Handling): boolean => text === poison[0]?.text
  const pipeline = await trial.start((handling) => {
    if (!mercy && isPoison(handling)) throw new Error('as the check wants it')
    return 'ok'
  })
  await trial.finish(payloads)
  await trial.until('the message that cannot be handled to be tried', () =>
    trial.handlings.some(isPoison) ? undefined : 'nothing of it',
  )
  await trial.finish(await trial.publish(5))
  mercy = true
  if (trial.harness.redelivers) await trial.finish(poison)
  await pipeline.stop()
  await trial.leaves(0)
}

/** Nobody finishes anything, while there is more and more; then one after another. */
export async function demand<Site>(trial: Trial<Site>): Promise<void> {
  const { harness, site } = trial
  const concurrency = 3
  const maxDemand = 2
  const most = harness.mostHeld(concurrency * maxDemand)
  const waiting: (() => void)[] = []
  await trial.publish(most + 10, 'own')
  const pipeline = await trial.start(() => new Promise((resolve) => waiting.push(() => resolve('ok'))), {
    concurrency,
    maxDemand,
  })
  const handOut = (count: number): Promise<void> =>
    trial.until(`${numberOf(count)} to be handled at the same time`, () =>
      waiting.length >= count ? undefined : `${waiting.length}`,
    )
  const withinBounds = (): Promise<void> =>
    trial.until(`at most ${numberOf(most)} to be handed out`, async () => {
      if (pipeline.mostHeld > most) trial.fail(`at most ${numberOf(most)} to be handed out`, `${pipeline.mostHeld}`)
      const unacknowledged = (await harness.unacknowledged?.(site)) ?? 0
      const left = (await harness.waiting?.(site)) ?? trial.published.length
      const taken = Math.max(unacknowledged, trial.published.length - left)
      return taken <= most ? undefined : `${taken}`
    })
  await handOut(concurrency)
  for (let round = 0; round < 5; round++) {
    await withinBounds()
    await trial.publish(2, 'own')
  }
  await withinBounds()
  for (let done = 0; done < trial.published.length; done++) {
    await handOut(1)
    waiting.shift()?.()
    await trial.until('the next messages to be handled', () =>
      trial.unfinished(trial.published).length <= trial.published.length - done - 1 ? undefined : 'none',
    )
  }
  if (pipeline.mostHeld > most) trial.fail(`at most ${numberOf(most)} to be handed out`, `${pipeline.mostHeld}`)
  await pipeline.stop()
  await trial.leaves(0)
}

/** Each is handled in a time that chance decides. */
export async function order<Site>(trial: Trial<Site>): Promise<void> {
  const byKey = trial.harness.order === 'key'
  const before = await trial.publish(COUNT)
  const shape = byKey ? { byKey, sources: 2 } : { concurrency: 1 }
  const pipeline = await trial.start(inSomeTime(trial.random, 2), shape)
  const after = [...(await trial.publish(COUNT)), ...(await trial.publish(COUNT))]
  await trial.finish([...before, ...after])
  await pipeline.stop()
  const first = trial.handlings.filter(({ nth }) => nth === 1)
  for (const key of byKey ? new Set(first.map((each) => each.key)) : [undefined]) {
    const inLane = (each: { readonly key: string }): boolean => key === undefined || each.key === key
    const expected = brief(trial.published.filter(inLane), Infinity)
    const seen = brief(first.filter(inLane), Infinity)
    if (seen !== expected) trial.fail(expected, seen)
  }
}
