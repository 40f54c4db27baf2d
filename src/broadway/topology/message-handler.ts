/** The server in a worker that runs `handleMessage` for one processor. */

import { GenServer } from '../../otp/gen-server.ts'
import { isPromise } from '../../otp/server-behaviour.ts'
import type { Later } from '../../process/later.ts'
import { show } from '../../stage/show.ts'
import { exportOf, loadModule } from '../../worker/load-module.ts'
import { BroadwayError } from '../errors.ts'
import { Message } from '../message.ts'
import type { CheckedProcessors } from '../options/checked-options.ts'
import { type HandledMessage, handledMessage, receivedMessage, type SentMessage } from './sent-message.ts'

export interface MessageHandlerArgument {
  readonly module: string
  /** What has to be loaded before it can be. */
  readonly loader: string | undefined
  readonly name: string
  readonly pipeline: string
  readonly key: string
  readonly index: number
  readonly context: unknown
}

type HandleMessage = CheckedProcessors['handleMessage']

export class MessageHandler extends GenServer {
  static override readonly callTimeout: number = Infinity
  readonly pipeline: string
  readonly key: string
  readonly index: number
  readonly #argument: MessageHandlerArgument
  #run: HandleMessage = notLoaded

  constructor(argument: MessageHandlerArgument) {
    super()
    this.pipeline = argument.pipeline
    this.key = argument.key
    this.index = argument.index
    this.#argument = argument
  }

  override async init(): Promise<void> {
    const { module, loader, name } = this.#argument
    this.#run = exportOf(module, await loadModule(module, loader), name, 'a function', isFunction)
  }

  /** Runs `handleMessage`; fails that call only when it throws. */
  run(sent: SentMessage): HandledMessage | Promise<HandledMessage | Later<HandledMessage>> | Later<HandledMessage> {
    const message = receivedMessage(sent)
    const work = (): HandledMessage | Promise<HandledMessage> => {
      const result = this.#run(message, this.#argument.context, this)
      return isPromise(result) ? Promise.resolve(result).then((value) => told(message, value)) : told(message, result)
    }
    // One message after another, as in a processor; what is thrown is the answer, and no crash.
    try {
      const outcome = work()
      return isPromise(outcome) ? Promise.resolve(outcome).catch((error) => this.#failed(error)) : outcome
    } catch (error) {
      return this.#failed(error)
    }
  }

  #failed(error: unknown): Later<HandledMessage> {
    const later = this.later<HandledMessage>()
    later.fail(error)
    return later
  }
}

function told(message: Message, result: unknown): HandledMessage {
  if (result instanceof Message) return handledMessage(message, result)
  const text = `handleMessage returned ${show(result)}, expected a message: return the one that it got, or one made from it`
  throw new BroadwayError('bad_return', text)
}

function isFunction(found: unknown): found is HandleMessage {
  return typeof found === 'function'
}

function notLoaded(): never {
  throw new BroadwayError('bad_return', 'handleMessage has not been loaded')
}
