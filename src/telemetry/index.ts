/** @module sluice/telemetry: what happens inside, as typed `diagnostics_channel` events. */

export type * from './broadway-events.ts'
export type { Listener, TypedChannel } from './channel.ts'
export * from './channels.ts'
export type * from './pubsub-events.ts'
export type * from './sqs-events.ts'
