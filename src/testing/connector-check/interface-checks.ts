/** Checks of what users give a connector: options, and messages to publish. */

import { handled } from './handling.ts'
import { ConnectorCheckError } from './rules.ts'
import type { Trial } from './trial.ts'
import { numberOf, textOf } from './words.ts'

const COUNT = 50

/** Each option that makes no sense keeps the pipeline from starting. */
export async function refuses<Site>(trial: Trial<Site>): Promise<void> {
  for (const [options, name] of trial.harness.badOptions) {
    const expected = `an error that names the option ${name}`
    const error = await trial.start(handled, { options }).then(
      () => undefined,
      (error: unknown) => error,
    )
    if (error === undefined) trial.fail(expected, 'a pipeline that runs')
    const text = textOf(error instanceof ConnectorCheckError ? error.cause : error)
    if (!words(text).includes(name)) trial.fail(expected, text)
  }
}

/** With the dots in `qos.prefetchCount`, and without those behind a sentence. */
function words(text: string): readonly string[] {
  return text.split(/[^\w.[\]]+/).map((word) => word.replace(/\.+$/, ''))
}

/** What was published is there at once, and comes, as it was published. */
export async function publishes<Site>(trial: Trial<Site>): Promise<void> {
  const { harness, site } = trial
  const publisher = await harness.publisher?.(site)
  if (publisher === undefined) return
  for (const count of [1, COUNT]) {
    const published = publisher.publish(trial.payloads(count))
    await trial.expects(`${numberOf(count)} to be published`, published)
    await trial.leaves(trial.published.length)
  }
  await trial.expects('the publisher to end', publisher.close())
  const pipeline = await trial.start(handled)
  await trial.finish(trial.published)
  await pipeline.stop()
  await trial.leaves(0)
}

/** What was published while connections were cut is there, too; some of it may be twice. */
export async function publishesAgain<Site>(trial: Trial<Site>): Promise<void> {
  const { harness, site } = trial
  const publisher = await harness.publisher?.(site)
  if (publisher === undefined) return
  for (let round = 0; round < 3; round++) {
    const published = publisher.publish(trial.payloads(COUNT))
    trial.step('connections cut')
    await Promise.all([
      trial.expects('messages to be published when connections were cut', published),
      harness.disrupt?.(site),
    ])
  }
  await trial.expects('the publisher to end', publisher.close())
  await trial.start(handled)
  await trial.finish(trial.published)
  await trial.settle()
}
