/** Runs random pipelines over a queue by seed, and judges what became of the messages. */

import fc from 'fast-check'
import { GenServer, type Later, type Ref, start } from 'sluice'
import { type Abandoned, type Acknowledger, Broadway, Message } from 'sluice/broadway'
import { Queue, QueueSource } from 'sluice/queue'
import type { Simulation } from 'sluice/testing'
import { inSimulation, partsOf } from './broadway.ts'
import { type Fate, type PipelinePlan, pipelinePlan } from './broadway-plan.ts'

/** Milliseconds after which nothing may be left to do. */
const LONG = 200_000

/** One message as the queue delivered it once. */
interface Delivery {
  readonly fate: Fate
  readonly id: number
  readonly attempts: number
}

/** Lets who calls it wait, whoever dies meanwhile. */
class Pause extends GenServer {
  wait(ms: number): Later<void> {
    const later = this.later<void>()
    this.sendAfter(later, ms)
    return later
  }

  override handleInfo(later: Later<void>): void {
    later.reply(undefined)
  }
}

/** What was delivered, and how it was answered for. */
class Ledger {
  delivered = 0
  readonly #answers = new Map<unknown, number>()
  /** Receipts by number of the message that was successful. */
  readonly successful = new Set<number>()
  readonly reports: Abandoned[] = []
  /** Of the queue. */
  source: Acknowledger | undefined = undefined

  get answered(): number {
    return this.#answers.size
  }

  answer(messages: readonly Message[], ok: boolean): void {
    for (const message of messages) {
      const { id } = message.metadata as { readonly id: number }
      const { receipt } = message.ackData as { readonly receipt: unknown }
      const times = (this.#answers.get(receipt) ?? 0) + 1
      this.#answers.set(receipt, times)
      if (times > 1) throw new BrokenLaw(`message ${id} was acknowledged ${times} times for one delivery`)
      if (ok) this.successful.add(id)
    }
  }
}

class BrokenLaw extends Error {}

/** What an acknowledger can do wrong, to see that it is found. */
export type Mistake = 'repeats' | 'forgets'

/**
 * Makes a pipeline of a seed and runs it; gives how many messages were delivered.
 *
 * @throws an error with the seed, and the smallest plan that was found to fail.
 */
export async function runPipelineSeed(seed: number, mistake?: Mistake): Promise<number> {
  let delivered = 0
  const property = fc.asyncProperty(pipelinePlan, async (plan) => {
    delivered = await runPipelinePlan(plan, mistake)
  })
  const { failed, counterexample, errorInstance } = await fc.check(property, { seed, numRuns: 1 })
  if (!failed) return delivered
  const why = errorInstance instanceof Error ? errorInstance.message : String(errorInstance)
  const [smallest] = counterexample ?? []
  throw new Error(
    `pipeline ${seed} breaks a law: ${why}\nSEED=${seed} npx vitest run test/broadway/random-pipelines.test.ts runs it again. The smallest that was found: ${JSON.stringify(smallest)}`,
  )
}

async function runPipelinePlan(plan: PipelinePlan, mistake: Mistake | undefined): Promise<number> {
  const ledger = new Ledger()
  const broken: unknown[] = []
  await inSimulation(async (sim) => {
    const queue = await start(Queue<Fate>, { arg: { maxAttempts: Infinity } })
    const pause = await start(Pause)
    const acknowledger = acknowledgerOf(plan, ledger, pause, broken, mistake)
    await queue.call.enqueueMany(plan.fates.map((data) => ({ data })))
    const first = await startPipeline(plan, ledger, queue, acknowledger)
    await makeMoves(sim, plan, first)
    if (!first.alive) {
      judgeEnd(plan, ledger)
      const { totals } = await queue.call.stats()
      if (calm(plan) && plan.stop?.drainTimeout === undefined && totals.expired > 0)
        throw new BrokenLaw('a message was lost by a stop')
    }
    // A pipeline that nobody disturbs does the rest.
    const last = first.alive
      ? first
      : await startPipeline({ ...plan, stop: undefined, acks: 'now' }, ledger, queue, acknowledger)
    let idle = false
    const noted = (): void => {
      idle = true
    }
    // It fails when a broken law ends the simulation.
    queue
      .with({ timeout: Infinity })
      .call.idle()
      .then(noted, () => {})
    while (!idle && sim.now < LONG) await sim.advance(500)
    const { totals, ready, inFlight, delayed } = await queue.call.stats()
    if (!idle)
      throw new BrokenLaw(`after ${sim.now} ms the queue has ${ready} ready, ${inFlight} in flight, ${delayed} delayed`)
    await last.stop({ timeout: LONG })
    if (totals.acknowledged !== plan.fates.length) {
      throw new BrokenLaw(`${totals.acknowledged} of ${plan.fates.length} messages were acknowledged`)
    }
    if (ledger.successful.size !== plan.fates.length) throw new BrokenLaw('some were never successful')
    if (calm(plan) && plan.stop === undefined) {
      if (totals.expired > 0)
        throw new BrokenLaw(`${totals.expired} deliveries were not answered for, though nothing crashed`)
      if (ledger.answered !== ledger.delivered) {
        throw new BrokenLaw(
          `${ledger.answered} of ${ledger.delivered} deliveries were answered for, though nothing crashed`,
        )
      }
    }
    await queue.stop()
    await pause.stop()
  }, plan.seed)
  if (broken.length > 0) throw broken[0]
  return ledger.delivered
}

/** Nothing crashes, and acknowledgers do what they should. */
function calm({ kills, acks }: PipelinePlan): boolean {
  return kills.length === 0 && acks !== 'fails'
}

/** When nothing crashed, what was delivered was either answered for, or is in the report. */
function judgeEnd(plan: PipelinePlan, ledger: Ledger): void {
  if (plan.kills.length > 0 || plan.acks !== 'now') return
  const reported = ledger.reports.reduce((sum, { messages }) => sum + messages, 0)
  const left = ledger.delivered - ledger.answered
  if (left !== reported) throw new BrokenLaw(`${left} deliveries were abandoned, ${reported} were reported`)
  if (plan.stop?.drainTimeout === undefined && left > 0)
    throw new BrokenLaw(`${left} were abandoned by a stop that has time`)
}

/** Kills what the plan says, and stops the pipeline when it says so. */
async function makeMoves(
  sim: Simulation,
  { kills, stop }: PipelinePlan,
  pipeline: Ref<Broadway<Delivery>>,
): Promise<void> {
  const moves = kills.map(({ at, part }) => ({
    at,
    make: () => {
      partsOf(sim).get(part)?.kill()
    },
  }))
  let stopped: Promise<unknown> = Promise.resolve()
  if (stop !== undefined) {
    const make = (): void => {
      if (pipeline.alive) stopped = pipeline.stop({ timeout: Infinity }).catch((error: unknown) => error)
    }
    moves.push({ at: stop.at, make })
  }
  for (const { at, make } of moves.toSorted((a, b) => a.at - b.at)) {
    if (at > sim.now) await sim.advance(at - sim.now)
    make()
  }
  if (stop === undefined) return
  await sim.advance(20_000)
  if (pipeline.alive) throw new BrokenLaw('the pipeline did not stop')
  const error = await stopped
  // It may have ended before, with what it could not tolerate.
  if (error !== undefined && kills.length === 0) throw error
}

function startPipeline(
  plan: PipelinePlan,
  ledger: Ledger,
  queue: Ref<Queue<Fate>>,
  acknowledger: Acknowledger,
): Promise<Ref<Broadway<Delivery>>> {
  const { producers, processors, maxDemand, batchSize, batchProcessors, batchers, limited, stop } = plan
  const batcher = {
    batchSize,
    batchTimeout: 50,
    concurrency: batchProcessors,
    async handleBatch(
      messages: readonly Message<Delivery>[],
      _info: unknown,
      _context: unknown,
      stage: { sleep(ms: number): Promise<void> },
    ): Promise<readonly Message[]> {
      if (plan.handleBatch > 0) await stage.sleep(plan.handleBatch)
      if (messages.some(({ data }) => data.attempts === 1 && data.fate.last === 'throws')) throw new Error('on purpose')
      return messages.map((message) =>
        message.data.attempts === 1 && message.data.fate.last === 'fails' ? message.failed('on purpose') : message,
      )
    },
  }
  return Broadway.start({
    name: 'random',
    maxRestarts: 1000,
    resubscribeInterval: 20,
    drainTimeout: stop?.drainTimeout ?? Infinity,
    onAbandoned: (report) => ledger.reports.push(report),
    partitionBy: plan.partitioned ? (message: { readonly data: unknown }) => keyOf(message.data) : undefined,
    producer: {
      module: QueueSource<Fate>,
      arg: { queue, visibilityTimeout: 1000, retryDelay: 10, maxExtension: 20_000 },
      concurrency: producers,
      rateLimiting: limited ? { allowedMessages: 4, interval: 10 } : undefined,
      transformer(message) {
        ledger.delivered++
        const { data: fate, metadata, ackRef, ackData } = message
        ledger.source = message.acknowledger
        return new Message<Delivery>({ fate, ...metadata }, { acknowledger, ackRef, ackData, metadata })
      },
    },
    processors: {
      default: {
        concurrency: processors,
        maxDemand,
        async handleMessage(message, _context, stage) {
          const { fate, attempts } = message.data
          if (fate.slow > 0) await stage.sleep(fate.slow)
          if (attempts === 1 && fate.first === 'throws') throw new Error('on purpose')
          if (attempts === 1 && fate.first === 'fails') return message.putBatcher('a').failed('on purpose')
          return message
            .putBatcher(batchers === 2 ? fate.batcher : 'a')
            .putBatchKey(fate.key)
            .putBatchMode(fate.flush ? 'flush' : 'bulk')
        },
      },
    },
    batchers: batchers === 0 ? undefined : { a: batcher, b: batcher },
  })
}

function keyOf(data: unknown): number {
  return (data as Delivery).fate.key
}

/** Notes what is acknowledged, and tells the source, as the plan says. */
function acknowledgerOf(
  { acks }: PipelinePlan,
  ledger: Ledger,
  pause: Ref<Pause>,
  broken: unknown[],
  mistake: Mistake | undefined,
): Acknowledger {
  let calls = 0
  return {
    async ack(ackRef, successful, failed) {
      calls++
      if (acks === 'fails' && calls % 3 === 0) throw new Error('no connection')
      if (acks === 'later') await pause.with({ timeout: Infinity }).call.wait(20)
      try {
        if (mistake === 'forgets') return
        ledger.answer(successful, true)
        ledger.answer(failed, false)
        if (mistake === 'repeats') ledger.answer(failed, false)
      } catch (error) {
        broken.push(error)
      }
      await ledger.source?.ack(ackRef, successful, failed)
    },
  }
}
