/** Three servers of NATS that are one cluster with JetStream: each can be killed, and comes back with what it had. */

import { type JetStreamManager, jetstreamManager } from '@nats-io/jetstream'
import { connect, type NatsConnection } from '@nats-io/transport-node'
import { freePort } from './free-port.ts'
import { ownNatsServer, urlOf } from './nats-server.ts'
import type { ServerProcess } from './server-process.ts'

const SIZE = 3

export interface Member {
  readonly name: string
  readonly server: ServerProcess
}

export class NatsCluster implements AsyncDisposable {
  readonly connection: NatsConnection
  readonly manager: JetStreamManager
  readonly #servers: ReadonlyMap<string, ServerProcess>

  private constructor(
    servers: ReadonlyMap<string, ServerProcess>,
    connection: NatsConnection,
    manager: JetStreamManager,
  ) {
    this.#servers = servers
    this.connection = connection
    this.manager = manager
  }

  /** Resolves when streams can be made. */
  static async start(): Promise<NatsCluster> {
    const routes = await Promise.all(Array.from({ length: SIZE }, freePort))
    const all = routes.map((port) => `nats://127.0.0.1:${port}`)
    const servers = new Map<string, ServerProcess>()
    for (const [n, route] of all.entries()) {
      const name = `n${n}`
      const cluster = ['--cluster_name', 'c', '--cluster', route, '--routes', all.join(',')]
      servers.set(name, await ownNatsServer('--name', name, ...cluster))
    }
    const urls = [...servers.values()].map(urlOf)
    const connection = await connect({ servers: urls, maxReconnectAttempts: -1, reconnectTimeWait: 50 })
    const cluster = new NatsCluster(servers, connection, await jetstreamManager(connection, { checkAPI: false }))
    while ((await cluster.manager.getAccountInfo().catch(() => undefined)) === undefined);
    return cluster
  }

  get urls(): readonly string[] {
    return [...this.#servers.values()].map(urlOf)
  }

  /** A stream that all servers have. */
  async stream(name: string): Promise<void> {
    const config = { name, subjects: [`${name}.>`], num_replicas: SIZE }
    // As long as the servers do not know each other there are too few.
    while (
      !(await this.manager.streams.add(config).then(
        () => true,
        () => false,
      ))
    );
  }

  /**
   * The server that leads a stream, once there is one and the others have all that it has; if that is an excepted one, one of the
   * others.
   */
  async leaderOf(stream: string, except: ReadonlySet<string> = new Set()): Promise<Member> {
    for (;;) {
      const info = await this.manager.streams.info(stream).catch(() => undefined)
      const { leader = '', replicas = [] } = info?.cluster ?? {}
      const isWhole =
        replicas.length === SIZE - 1 && replicas.every(({ current, offline }) => current && offline !== true)
      if (leader === '' || !isWhole) continue
      const names = [leader, ...replicas.map(({ name }) => name)].filter((name) => !except.has(name))
      for (const name of names) {
        const server = this.#servers.get(name)
        if (server !== undefined) return { name, server }
      }
    }
  }

  /** Messages of a stream. */
  async size(stream: string): Promise<number> {
    for (;;) {
      const info = await this.manager.streams.info(stream).catch(() => undefined)
      if (info !== undefined) return info.state.messages
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.connection.close()
    for (const server of this.#servers.values()) await server[Symbol.asyncDispose]()
  }
}
