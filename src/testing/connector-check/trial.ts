/** One check of a connector: its place at the server, its pipelines, what they have handled, and the deadline of it all. */

import { Broadway } from '../../broadway/broadway.ts'
import type { Message } from '../../broadway/message.ts'
import type { Ref } from '../../process/ref.ts'
import { currentRuntime } from '../../process/runtime.ts'
import type { Emits } from '../../stage/subscription-options.ts'
import { seededRandom } from '../random.ts'
import {
  type Handle,
  type Handling,
  handled,
  type Keys,
  type Outcome,
  type Shape,
  type TrialPipeline,
} from './handling.ts'
import type { ConnectorHarness, ConnectorPayload } from './harness.ts'
import { type ConnectorBreach, ConnectorCheckError, type ConnectorRule } from './rules.ts'
import { brief, cut, numberOf, textOf } from './words.ts'

/** Milliseconds until the server is asked again. */
const ASK_AGAIN = 20
const DEADLINE = 60_000

let pipelines = 0

/** Runs one check from the first to the last: whatever becomes of it, nothing stays. */
export async function runTrial<Site>(
  harness: ConnectorHarness<Site>,
  rule: ConnectorRule,
  seed: number,
  check: (trial: Trial<Site>) => Promise<void>,
): Promise<void> {
  const site = await harness.open()
  const trial = new Trial(harness, site, rule, seed)
  let failure: { readonly error: unknown } | undefined
  try {
    await trial.inTime(check(trial))
  } catch (error) {
    failure = { error }
  }
  try {
    await trial.end()
    await harness.close(site)
  } catch (error) {
    failure ??= { error }
  }
  if (failure !== undefined) throw failure.error
}

export class Trial<Site> {
  readonly harness: ConnectorHarness<Site>
  readonly site: Site
  readonly random: () => number
  /** In the order in which handling began. */
  readonly handlings: Handling[] = []
  /** In the order in which they were published. */
  readonly published: ConnectorPayload[] = []
  readonly #rule: ConnectorRule
  readonly #seed: number
  readonly #runtime = currentRuntime()
  readonly #steps: string[] = []
  readonly #keys = new Map<string, string>()
  readonly #running = new Set<TrialPipeline>()
  #started = 0
  /** What is waited for, and how far it is. */
  #awaited: ConnectorBreach
  #changed: (() => void)[] = []
  #breach: ConnectorCheckError | undefined = undefined

  constructor(harness: ConnectorHarness<Site>, site: Site, rule: ConnectorRule, seed: number) {
    this.harness = harness
    this.site = site
    this.random = seededRandom(seed)
    this.#rule = rule
    this.#seed = seed
    this.#awaited = { rule, expected: 'the check to begin', seen: 'nothing' }
  }

  // ---- What is done

  /** Publishes messages with new texts. */
  async publish(count: number, keys?: Keys): Promise<readonly ConnectorPayload[]> {
    const payloads = this.payloads(count, keys)
    await this.harness.publish(this.site, payloads)
    return payloads
  }

  /** Messages that are about to be published. */
  payloads(count: number, keys: Keys = 'few'): readonly ConnectorPayload[] {
    const payloads = Array.from({ length: count }, (_, index) => {
      const number = this.published.length + index + 1
      const size = number % 10 === 0 ? Math.floor(this.random() * 20_000) : 0
      const key = keys === 'own' ? `own-${number}` : `key-${Math.floor(this.random() * 5)}`
      return { text: `${number} äöü€😀${'.'.repeat(size)}`, key }
    })
    for (const { text, key } of payloads) this.#keys.set(text, key)
    this.published.push(...payloads)
    this.step(`${numberOf(count)} published`)
    return payloads
  }

  /** Starts a pipeline. */
  async start(handle: Handle, shape: Shape = {}): Promise<TrialPipeline> {
    const { sources = 1, concurrency = 3, maxDemand = 4, byKey = false, batchSize, options = {} } = shape
    const { module, arg } = this.harness.producer(this.site, options)
    const number = ++this.#started
    const counts = { held: 0, mostHeld: 0 }
    const finish = (handling: Handling): void => {
      handling.finished = true
      counts.held--
      this.#change()
    }
    const begun = new Map<string, Handling>()
    const refs: Ref<Broadway<never, unknown>>[] = []
    const trial = this
    const pipeline: TrialPipeline = {
      number,
      get ref() {
        const [ref] = refs
        if (ref === undefined) throw new Error('the pipeline has not started')
        return ref
      },
      get held() {
        return counts.held
      },
      get mostHeld() {
        return counts.mostHeld
      },
      async stop() {
        trial.#running.delete(pipeline)
        trial.step(`pipeline ${number} stopped`)
        await trial.expects(`pipeline ${number} to end in order when it is stopped`, pipeline.ref.stop(), 'drains')
      },
      async kill() {
        trial.#running.delete(pipeline)
        trial.step(`pipeline ${number} killed`)
        pipeline.ref.kill()
        await pipeline.ref.done
      },
    }
    const starting = Broadway.start({
      name: `connector-check-${++pipelines}`,
      producer: {
        module: module as new (options: unknown) => Emits<Message>,
        arg,
        concurrency: sources,
        transformer: (message: Message) => {
          counts.held++
          counts.mostHeld = Math.max(counts.mostHeld, counts.held)
          this.#change()
          return message
        },
      },
      processors: {
        default: {
          concurrency,
          maxDemand,
          ...(byKey && this.harness.keepsLanes !== true
            ? { partitionBy: (message: Message) => this.#lane(message) }
            : {}),
          handleMessage: async (message: Message, _context, stage) => {
            const handling = this.#begin(message, pipeline)
            let outcome: Outcome = 'failed'
            try {
              outcome = await handle(handling, stage)
            } finally {
              if (outcome === 'failed') counts.held--
              this.#change()
            }
            if (outcome === 'failed') return message.failed('as the check wants it')
            if (batchSize === undefined) finish(handling)
            else begun.set(handling.text, handling)
            return message
          },
        },
      },
      ...(batchSize === undefined
        ? {}
        : {
            batchers: {
              default: {
                batchSize,
                batchTimeout: 20,
                handleBatch: (messages: readonly Message[]) => {
                  for (const message of messages) {
                    const text = this.#text(message)
                    const handling = begun.get(text)
                    if (handling !== undefined) finish(handling)
                    begun.delete(text)
                  }
                  return messages
                },
              },
            },
          }),
    })
    this.step(`pipeline ${number} started`)
    refs.push(await this.expects(`pipeline ${number} to start`, starting))
    this.#running.add(pipeline)
    return pipeline
  }

  step(what: string): void {
    this.#steps.push(what)
  }

  // ---- What is found

  /** The messages of these that were not handled, by any pipeline or by this one. */
  unfinished(payloads: readonly ConnectorPayload[], pipeline?: TrialPipeline): readonly ConnectorPayload[] {
    const finished = new Set(
      this.handlings
        .filter((each) => each.finished && (pipeline === undefined || each.pipeline === pipeline))
        .map(({ text }) => text),
    )
    return payloads.filter(({ text }) => !finished.has(text))
  }

  /** Waits until these have been handled. */
  async finish(payloads: readonly ConnectorPayload[]): Promise<void> {
    await this.until(`${numberOf(payloads.length)} to be handled`, () => {
      const missing = this.unfinished(payloads)
      return missing.length === 0 ? undefined : `all but ${missing.length}: ${brief(missing)}`
    })
  }

  /** Waits until the server has so many messages, and nobody has any of them. */
  async leaves(count: number): Promise<void> {
    await this.until(`${numberOf(count)} to be left at the server, and nobody to have any`, async () => {
      const left = await this.left()
      return left === undefined || left === count ? undefined : `${left}`
    })
  }

  /** Messages at the server that are not answered for, as far as it can be asked. */
  async left(): Promise<number | undefined> {
    const { harness, site } = this
    if (harness.waiting === undefined && harness.unacknowledged === undefined) return undefined
    const [waiting = 0, unacknowledged = 0] = await Promise.all([
      harness.waiting?.(site),
      harness.unacknowledged?.(site),
    ])
    return waiting + unacknowledged
  }

  /** Waits until all that was published is acknowledged, as far as the server can be asked. */
  async acknowledged(): Promise<void> {
    await this.until('everything to be acknowledged in the end', async () => {
      const left = await this.left()
      return left === undefined || left === 0 ? undefined : `${numberOf(left)} left`
    })
  }

  /**
   * Everything is acknowledged in the end, and stays so when the pipelines are stopped; what was on its way again just then, the
   * next one has.
   */
  async settle(): Promise<void> {
    for (;;) {
      await this.acknowledged()
      for (const pipeline of [...this.#running]) await pipeline.stop()
      const left = await this.expects('the server to tell what is left', this.left())
      if (left === undefined || left === 0) return
      await this.start(handled, { options: this.harness.soon })
    }
  }

  /** Starts another pipeline, which gets what is new and nothing else. */
  async nothingComesAgain(): Promise<void> {
    const old = new Set(this.published.map(({ text }) => text))
    const next = await this.start(handled)
    await this.finish(await this.publish(5))
    await next.stop()
    const again = this.handlings.filter(({ pipeline, text }) => pipeline === next && old.has(text))
    if (again.length > 0) this.fail('nothing to come again that was answered for', `again ${brief(again)}`)
  }

  /** Waits until nothing is missing any more; `missing` says what is. */
  async until(expected: string, missing: () => string | undefined | Promise<string | undefined>): Promise<void> {
    for (;;) {
      const changed = this.#nextChange()
      const seen = await missing()
      if (this.#breach !== undefined) throw this.#breach
      if (seen === undefined) return
      this.#awaited = { rule: this.#rule, expected, seen }
      for (const { ref, number } of this.#running) {
        if (!ref.alive) this.fail(expected, `${seen}; pipeline ${number} has ended: ${textOf(await ref.done)}`)
      }
      await changed
    }
  }

  /** Waits for what must not fail. */
  async expects<T>(expected: string, promise: Promise<T>, rule: ConnectorRule = this.#rule): Promise<T> {
    this.#awaited = { rule, expected, seen: 'nothing' }
    try {
      return await promise
    } catch (error) {
      throw this.#error({ rule, expected, seen: textOf(error) }, error)
    }
  }

  /** @throws `ConnectorCheckError`. */
  fail(expected: string, seen: string): never {
    throw this.#error({ rule: this.#rule, expected, seen })
  }

  // ---- Time

  /** The result of the check, or the breach that it is not done in time. */
  async inTime(checked: Promise<void>): Promise<void> {
    const { deadline = DEADLINE } = this.harness
    let late = (_error: unknown): void => {}
    const lateness = new Promise<never>((_, reject) => {
      late = reject
    })
    const timer = this.#runtime.clock.setTimer(deadline, () => {
      const { rule, expected, seen } = this.#awaited
      this.#breach ??= this.#error({ rule, expected, seen: `${seen} after ${deadline} ms` })
      late(this.#breach)
      this.#change()
    })
    checked.catch(() => {})
    try {
      await Promise.race([checked, lateness])
    } finally {
      timer.cancel()
    }
  }

  /** Kills what still runs. */
  async end(): Promise<void> {
    this.#breach ??= this.#error(this.#awaited)
    this.#change()
    for (const pipeline of [...this.#running]) await pipeline.kill()
  }

  #change(): void {
    for (const changed of this.#changed.splice(0)) changed()
  }

  /** Resolves when something happened here, or the server is worth to be asked again. */
  #nextChange(): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#runtime.clock.setTimer(ASK_AGAIN, resolve)
      this.#changed.push(() => {
        timer.cancel()
        resolve()
      })
    })
  }

  // ---- Messages

  #begin(message: Message, pipeline: TrialPipeline): Handling {
    const text = this.#text(message)
    const key = this.#keys.get(text)
    if (key === undefined) {
      const seen = `one that nobody has published: ${cut(text)}`
      this.#breach ??= this.#error({ rule: 'delivers', expected: 'every message as it was published', seen })
      this.#change()
    }
    const nth = this.handlings.filter((other) => other.text === text).length + 1
    const handling: Handling = { text, key: key ?? '', message, pipeline, nth, finished: false }
    this.handlings.push(handling)
    this.#change()
    return handling
  }

  #text(message: Message): string {
    const { data } = message
    if (this.harness.textOf !== undefined) return this.harness.textOf(message)
    return data instanceof Uint8Array ? Buffer.from(data).toString() : String(data)
  }

  #lane(message: Message): number {
    const key = this.#keys.get(this.#text(message)) ?? ''
    return [...new Set(this.#keys.values())].indexOf(key)
  }

  #error(breach: ConnectorBreach, cause?: unknown): ConnectorCheckError {
    return new ConnectorCheckError(this.harness.name, breach, this.#seed, [...this.#steps], cause)
  }
}
