/**
 * `handleMessage` of a processor in a worker: the processor calls it there, and does all the rest itself. A worker that has
 * ended is replaced when the next message comes; what it had in hand has failed.
 */

import { extname } from 'node:path'
import type { GenServer } from '../../otp/gen-server.ts'
import { CallError } from '../../process/errors.ts'
import type { Ref } from '../../process/ref.ts'
import type { Message } from '../message.ts'
import type { CheckedWorker } from '../options/checked-options.ts'
import type { MessageHandler } from './message-handler.ts'
import type { Place } from './place.ts'
import { afterwards, sentMessage } from './sent-message.ts'

export class WorkerHandling {
  readonly #stage: Pick<GenServer, 'startLink'>
  readonly #place: Place
  readonly #worker: CheckedWorker
  #handler: Ref<MessageHandler> | undefined = undefined
  #starting: Promise<Ref<MessageHandler>> | undefined = undefined

  constructor(stage: Pick<GenServer, 'startLink'>, place: Place, worker: CheckedWorker) {
    this.#stage = stage
    this.#place = place
    this.#worker = worker
  }

  /** Starts the worker. */
  async begin(): Promise<void> {
    await this.#running()
  }

  /** `handleMessage`, as if it ran here. */
  readonly handleMessage = async (message: Message): Promise<Message> => {
    const handler = await this.#running()
    try {
      const handled = await handler.call.run(sentMessage(message))
      return afterwards(message, handled)
    } catch (error) {
      // What it threw, and not that a call has failed because it threw.
      if (error instanceof CallError && error.code === 'failed') throw error.cause
      throw error
    }
  }

  /** Ends the worker. */
  async stop(): Promise<void> {
    await this.#handler?.[Symbol.asyncDispose]()
  }

  async #running(): Promise<Ref<MessageHandler>> {
    if (this.#handler?.alive === true) return this.#handler
    this.#starting ??= this.#start()
    try {
      return await this.#starting
    } finally {
      this.#starting = undefined
    }
  }

  /** Worker threads are loaded only where they are used. */
  async #start(): Promise<Ref<MessageHandler>> {
    const { inWorker, workersIn } = await import('../../worker/in-worker.ts')
    const { moduleFile, typeScriptLoader } = await import('../../worker/module-file.ts')
    const { pipeline, key, index, context } = this.#place
    const { name, on, thread } = this.#worker
    const module = moduleFile(this.#worker.module)
    const own = new URL(`./message-handler${extname(import.meta.url)}`, import.meta.url)
    const type = inWorker<typeof MessageHandler>(own, 'MessageHandler', { on: workersIn(name, on), ...thread })
    const arg = { module, loader: typeScriptLoader(module), name, pipeline, key, index, context }
    this.#handler = await this.#stage.startLink(type, { arg })
    return this.#handler
  }
}
