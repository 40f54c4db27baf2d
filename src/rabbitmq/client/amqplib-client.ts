/** The client that is used unless another one is given: amqplib, an optional peer dependency, loaded here and nowhere else. */

import { loadPackage } from '../../connector/load-package.ts'
import { RabbitMQError } from '../errors.ts'
import type { AmqpClient, AmqpConnection, ConnectTarget } from './port.ts'

const load = (): Promise<typeof import('amqplib')> =>
  loadPackage(
    'sluice/rabbitmq',
    'amqplib',
    () => import('amqplib'),
    (text, cause) => new RabbitMQError('missing_package', text, cause),
  )

export const amqplibClient: AmqpClient = {
  load,

  async connect(target) {
    const { connect, credentials } = await load()
    const { protocol, hostname, port, username, password, virtualHost, authMechanism } = target
    const who = authMechanism === 'external' ? credentials.external() : credentials[authMechanism](username, password)
    const fields = {
      protocol,
      hostname,
      port,
      username,
      password,
      // amqplib decodes it.
      vhost: encodeURIComponent(virtualHost),
      credentials: who,
      ...given({ channelMax: target.channelMax, frameMax: target.frameMax, heartbeat: target.heartbeat }),
    }
    const model = await connect(fields, {
      noDelay: true,
      ...target.socketOptions,
      credentials: who,
      timeout: target.connectionTimeout,
      clientProperties: propertiesOf(target),
    }).catch((error: unknown) => {
      throw refusedHost(error, target) ?? error
    })
    const connection: AmqpConnection = {
      createChannel: () => model.createChannel(),
      createConfirmChannel: () => model.createConfirmChannel(),
      close: () => model.close(),
      destroy: () => destroySocket(model.connection),
      on: (event, listener) => model.on(event, listener),
    }
    return connection
  },
}

/** The server says that it refuses a virtual host, and why; amqplib only tells that the connection was closed. */
function refusedHost(error: unknown, { virtualHost, username }: ConnectTarget): Error | undefined {
  if (!(error instanceof Error) || !/Expected ConnectionOpenOk; got <ConnectionClose/.test(error.message))
    return undefined
  const text = `NOT_ALLOWED: the server has no virtual host '${virtualHost}', or ${username} may not use it; the default is /`
  return new Error(text, { cause: error })
}

function propertiesOf({ name, clientProperties }: ConnectTarget): Record<string, unknown> {
  return name === undefined ? { ...clientProperties } : { ...clientProperties, connection_name: name }
}

function given(fields: Readonly<Record<string, number | undefined>>): Record<string, number> {
  const found: Record<string, number> = {}
  for (const [key, value] of Object.entries(fields)) if (value !== undefined) found[key] = value
  return found
}

/** amqplib has no way to give up a connection whose server does not answer. */
function destroySocket(connection: object): void {
  const socket: unknown = Reflect.get(connection, 'stream')
  if (typeof socket === 'object' && socket !== null && 'destroy' in socket && typeof socket.destroy === 'function') {
    socket.destroy()
  }
}
