/** The pages of the connectors: all have the same form, and each option that there is. */
import { readFileSync } from 'node:fs'
import { KafkaPublisher, KafkaSource } from 'sluice/kafka'
import { NatsPublisher, NatsSource } from 'sluice/nats'
import { PubSubPublisher, PubSubSource } from 'sluice/pubsub'
import { Queue, QueueSource } from 'sluice/queue'
import { RabbitMQPublisher, RabbitMQSource } from 'sluice/rabbitmq'
import { RedisListSource, RedisPublisher, RedisStreamSource } from 'sluice/redis'
import { SqsPublisher, SqsSource } from 'sluice/sqs'
import { describe, expect, it } from 'vitest'

/** In the order in which they stand; others may stand between them. */
const FORM = [
  'What is promised',
  'When something crashes',
  'Options of the source',
  'Publishing',
  'Watching it',
  'How it was tested',
]

type Configured = new (options: never) => unknown
const PAGES: readonly (readonly [page: string, classes: readonly Configured[]])[] = [
  ['kafka', [KafkaSource, KafkaPublisher]],
  ['nats', [NatsSource, NatsPublisher]],
  ['pubsub', [PubSubSource, PubSubPublisher]],
  ['rabbitmq', [RabbitMQSource, RabbitMQPublisher]],
  ['redis', [RedisStreamSource, RedisListSource, RedisPublisher]],
  ['sqs', [SqsSource, SqsPublisher]],
]
const pageOf = (name: string) => readFileSync(`docs/${name}.md`, 'utf8')

/** The first cells of the tables, which have the options. */
function optionsIn(page: string): ReadonlySet<string> {
  const cells = page.split('\n').flatMap((line) => /^\| (.*?) \|/.exec(line)?.[1] ?? [])
  return new Set(cells.flatMap((cell) => [...cell.matchAll(/`(\w+)`/g)].flatMap(([, name]) => name ?? [])))
}

/** A class says which options it knows when it is given another one. */
function optionsOf(type: Configured): readonly string[] {
  try {
    Reflect.construct(type, [{ 'not an option': 1 }])
  } catch (error) {
    const [, known] = / known are (.*)$/i.exec(String(error)) ?? []
    if (known !== undefined) return known.split(', ')
  }
  throw new Error(`${type.name} does not say which options it knows`)
}

describe('the page of a connector', () => {
  it.each(PAGES.map(([page]) => page))('%s has the form of all of them', (name) => {
    const page = pageOf(name)
    const headings = [...page.matchAll(/^## (.*)$/gm)].map(([, heading]) => heading)
    expect(headings.filter((heading) => FORM.includes(String(heading)))).toEqual(FORM)
    const begin = page.slice(0, page.indexOf('\n## '))
    expect(begin).toMatch(/```sh\nnpm install sluice /)
    expect(begin).toMatch(/```ts\nimport \{ run \} from 'sluice'/)
  })

  it.each([...PAGES, ['queue', [Queue, QueueSource]] as const])('%s has every option', (name, classes) => {
    const told = optionsIn(pageOf(name))
    for (const type of classes) expect(optionsOf(type).filter((option) => !told.has(option))).toEqual([])
  })
})
