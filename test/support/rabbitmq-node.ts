/**
 * A RabbitMQ of a test's own, which may be hurt: stopped, killed, frozen, starved of memory. It is Debian's package rabbitmq-server,
 * in a folder that is gone at the end, and is told what to do through the shell of its Erlang, which takes milliseconds where
 * `rabbitmqctl` takes seconds. When this program ends, however it does, the shell and with it the server end too.
 */

import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Channel, connect } from 'amqplib'
import { afterAll, beforeAll } from 'vitest'
import { freePort } from './free-port.ts'

const SERVER = '/usr/lib/rabbitmq/bin/rabbitmq-server'
const EPMD = '/usr/bin/epmd'

/** In CI it has to be there. */
export const rabbitmqCanStart = process.env['CI'] !== undefined || existsSync(SERVER)
if (!rabbitmqCanStart)
  console.warn('no RabbitMQ to stop and start: its tests are skipped; apt-get install rabbitmq-server')

/** It has started when it says so; its own start is not waited for by a message. */
const UP = `(fun Up() -> case rabbit:is_running() of true -> ok; _ -> timer:sleep(20), Up() end end)()`
/** The share of the memory of the machine that it may use, as it is by default. */
const ENOUGH = 0.4
const TOO_LITTLE = 0.00001

/** Far more milliseconds than starts and stops take, also on a busy machine. */
export const PATIENCE = 300_000

/** A server for the tests of a `describe`. */
export function serverOfItsOwn(): () => RabbitMQNode {
  let node: RabbitMQNode
  beforeAll(async () => {
    node = await RabbitMQNode.start()
  }, PATIENCE)
  afterAll(() => node[Symbol.asyncDispose](), PATIENCE)
  return () => node
}

export class RabbitMQNode implements AsyncDisposable {
  readonly #home: string
  readonly #port: number
  readonly #epmd: number
  readonly #env: NodeJS.ProcessEnv
  #shell!: Shell

  private constructor(home: string, [port, epmd, distribution]: readonly [number, number, number]) {
    this.#home = home
    this.#port = port
    this.#epmd = epmd
    this.#env = {
      ...process.env,
      HOME: home,
      // With a daemon of its own there is nothing that others could be using, and nothing stays.
      ERL_EPMD_PORT: `${epmd}`,
      ERL_EPMD_ADDRESS: '127.0.0.1',
      ERL_EPMD_RELAXED_COMMAND_CHECK: 'true',
      RABBITMQ_NODENAME: 'sluice@localhost',
      RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
      RABBITMQ_NODE_PORT: `${port}`,
      RABBITMQ_DIST_PORT: `${distribution}`,
      RABBITMQ_MNESIA_BASE: join(home, 'mnesia'),
      RABBITMQ_LOG_BASE: join(home, 'log'),
      RABBITMQ_ENABLED_PLUGINS_FILE: join(home, 'plugins'),
      RABBITMQ_CONF_ENV_FILE: '/dev/null',
      RABBITMQ_CONFIG_FILE: join(home, 'rabbitmq'),
      RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '-kernel inet_dist_use_interface {127,0,0,1}',
      RABBITMQ_ALLOW_INPUT: 'true',
    }
  }

  static async start(): Promise<RabbitMQNode> {
    const home = await mkdtemp(join(tmpdir(), 'sluice-rabbitmq-'))
    await writeFile(join(home, 'plugins'), '[].')
    await writeFile(join(home, 'rabbitmq.conf'), 'disk_free_limit.absolute = 1MB\n')
    const node = new RabbitMQNode(home, [await freePort(), await freePort(), await freePort()])
    await node.revive()
    return node
  }

  get uri(): string {
    return `amqp://guest:guest@127.0.0.1:${this.#port}`
  }

  /** Evaluates an expression of Erlang in the server, and gives its value as text. */
  tell(expression: string): Promise<string> {
    return this.#shell.tell(expression)
  }

  /** As an operator does it: connections are closed, everything is on the disk. */
  async stop(): Promise<void> {
    await this.tell('rabbit:stop()')
  }

  /** It listens again. */
  async start(): Promise<void> {
    await this.tell('rabbit:start()')
  }

  /** As a power failure does it. */
  async kill(): Promise<void> {
    await this.#shell.kill()
  }

  /** After it was killed. */
  async revive(): Promise<void> {
    this.#shell = new Shell(spawn(SERVER, { env: this.#env, stdio: ['pipe', 'pipe', 'pipe'] }))
    await this.tell(UP)
  }

  /** It does nothing at all until it thaws; its connections stay. */
  freeze(): void {
    this.#shell.signal('SIGSTOP')
  }

  thaw(): void {
    this.#shell.signal('SIGCONT')
  }

  /** It is short of memory, and takes nothing from publishers. */
  async starve(): Promise<void> {
    await this.#allowMemory(TOO_LITTLE)
  }

  async feed(): Promise<void> {
    await this.#allowMemory(ENOUGH)
  }

  /** A queue that outlives the server, also when that is killed. */
  queue(args: object = {}, name = `sluice-test-${randomUUID()}`): Promise<string> {
    return this.#withChannel(async (channel) => {
      await channel.assertQueue(name, { durable: true, arguments: args })
      // It writes down seconds later that there is such a queue, whatever it has confirmed in there.
      await this.tell('mnesia:sync_log()')
      return name
    })
  }

  async deleteQueue(queue: string): Promise<void> {
    await this.#withChannel((channel) => channel.deleteQueue(queue))
  }

  /** Resolves when all messages of a queue are answered for; who has taken some counts as well. */
  async empties(queue: string): Promise<void> {
    const all = 'rabbit_amqqueue:info_all(<<"/">>, [name, messages])'
    const messages = `hd([N || [{name, {resource, _, _, <<"${queue}">>}}, {messages, N}] <- ${all}])`
    while ((await this.tell(messages)) !== '0');
  }

  async closeConnections(why: string): Promise<void> {
    await this.tell(`rabbit_networking:close_connections(rabbit_networking:connections(), "${why}")`)
  }

  /** What the server knows of its connections, of each of the given kinds. */
  connections(...kinds: readonly string[]): Promise<string> {
    return this.tell(`rabbit_networking:connection_info_all([${kinds.join(',')}])`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
    await new Promise((resolve) => execFile(EPMD, ['-port', `${this.#epmd}`, '-kill'], { env: this.#env }, resolve))
    await rm(this.#home, { recursive: true, force: true })
  }

  async #withChannel<T>(use: (channel: Channel) => Promise<T>): Promise<T> {
    const model = await connect(this.uri)
    try {
      return await use(await model.createChannel())
    } finally {
      await model.close()
    }
  }

  async #allowMemory(share: number): Promise<void> {
    // It would look by itself only every few seconds.
    await this.tell(
      `begin vm_memory_monitor:set_vm_memory_high_watermark(${share}), vm_memory_monitor ! update, vm_memory_monitor:get_vm_memory_high_watermark(), ok end`,
    )
  }
}

/** The shell of an Erlang that runs. */
class Shell {
  readonly #child: ChildProcess
  readonly #ended: Promise<unknown>
  #output = ''
  #asked = 0
  readonly #waiting = new Map<number, { resolve(value: string): void; reject(error: Error): void }>()

  constructor(child: ChildProcess) {
    this.#child = child
    this.#ended = new Promise((resolve) => child.on('close', resolve).on('error', resolve))
    const leave = (): void => this.signal('SIGKILL')
    process.once('exit', leave)
    void this.#ended.then(() => process.off('exit', leave))
    child.stdin?.on('error', () => {})
    child.stderr?.resume()
    child.stdout?.setEncoding('utf8').on('data', (text: string) => this.#read(text))
  }

  tell(expression: string): Promise<string> {
    const number = ++this.#asked
    return new Promise((resolve, reject) => {
      this.#waiting.set(number, { resolve, reject })
      void this.#ended.then((how) =>
        reject(new Error(`the server has ended (${String(how)}): ${this.#output.slice(-2000)}`)),
      )
      this.#child.stdin?.write(`io:format("~n#answer ~w ~0p #end~n", [${number}, catch (${expression})]).\n`)
    })
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  async kill(): Promise<void> {
    this.signal('SIGKILL')
    await this.#ended
  }

  #read(text: string): void {
    this.#output += text
    for (;;) {
      const [all = '', number, value = ''] = /#answer (\d+) (.*?) #end/s.exec(this.#output) ?? []
      if (number === undefined) break
      this.#output = this.#output.slice(this.#output.indexOf(all) + all.length)
      const asked = this.#waiting.get(Number(number))
      this.#waiting.delete(Number(number))
      if (value.startsWith("{'EXIT'")) asked?.reject(new Error(value))
      else asked?.resolve(value)
    }
    // Nobody reads what it says of itself, but when it fails.
    if (!this.#output.includes('#answer')) this.#output = this.#output.slice(-10_000)
  }
}
