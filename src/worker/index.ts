/**
 * Worker threads: processes and stages that run on other cores, with refs like any other.
 *
 * @module
 */

export { WorkerError, type WorkerErrorCode } from './errors.ts'
export { type InWorkerOptions, inWorker, type ProcessNames, type WorkerModule, workerModule } from './in-worker.ts'
export type { ThreadOptions } from './thread-options.ts'
export { transfer } from './transfer.ts'
export { WorkerSlot, Workers, type WorkersOptions } from './workers.ts'
