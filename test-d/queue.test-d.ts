import { child, type Ref } from 'sluice'
import { Broadway } from 'sluice/broadway'
import { type DeadLetter, Queue, type QueueMetadata, QueueSource, QueueStore, type Received } from 'sluice/queue'
import { expectValue } from './support.ts'

interface Job {
  readonly path: string
}

declare const jobs: Ref<Queue<Job>>

// What comes out has the type of what goes in.
expectValue<readonly Received<Job>[]>()(await jobs.call.receive(10, { waitTime: 100 }))
expectValue<number>()(
  await jobs.call.enqueue({ path: 'cat.png' }, { delay: 5, key: 'cats', metadata: { from: 'web' } }),
)
expectValue<readonly number[]>()(await jobs.call.enqueueMany([{ data: { path: 'cat.png' }, delay: 5 }]))
expectValue<readonly DeadLetter<Job>[]>()(await jobs.call.deadLetters())
// @ts-expect-error a job has a path
await jobs.call.enqueue({ file: 'cat.png' })
// @ts-expect-error there is no such option
await jobs.call.enqueue({ path: 'cat.png' }, { later: 5 })
// @ts-expect-error the data is missing
await jobs.call.enqueueMany([{ path: 'cat.png' }])

// A store belongs to queues of its type.
child(Queue<Job>, { name: Queue, arg: { store: new QueueStore<Job>() } })
// @ts-expect-error a queue of jobs cannot have a store of numbers
child(Queue<Job>, { arg: { store: new QueueStore<number>() } })

// So has a pipeline over it, with the metadata; by ref or by name.
await Broadway.start({
  name: 'jobs',
  producer: { module: QueueSource<Job>, arg: { queue: jobs } },
  processors: {
    default: {
      handleMessage(message) {
        expectValue<Job>()(message.data)
        expectValue<QueueMetadata>()(message.metadata)
        return message
      },
    },
  },
})
export const byName = (): QueueSource<Job> => new QueueSource<Job>({ queue: Queue })
// @ts-expect-error there is no such answer
export const wrong = (): QueueSource<Job> => new QueueSource<Job>({ queue: Queue, onFailure: 'drop' })
