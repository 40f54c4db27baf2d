/** @module sluice/queue: a queue in memory with acknowledgements, redelivery, delays and dead letters. */

export { QueueError, type QueueErrorCode } from './errors.ts'
export type {
  DeadLetter,
  EnqueueOptions,
  Metadata,
  NewMessage,
  QueueStats,
  QueueTotals,
  Receipt,
  Received,
  StoredMessage,
} from './message.ts'
export { Queue } from './queue.ts'
export type { NackOptions, QueueOptions, ReceiveOptions, Settlement } from './queue-options.ts'
export { QueueStore } from './queue-store.ts'
export { QueueSource } from './source/queue-source.ts'
export type {
  Answer,
  AnswerOption,
  AnswerOptions,
  QueueMetadata,
  QueueSourceOptions,
  QueueTarget,
} from './source/source-options.ts'
