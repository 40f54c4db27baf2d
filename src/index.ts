/** @module sluice: processes, servers, supervisors, stages, flows and pipelines. */

export * from './broadway/index.ts'
export * from './flow/index.ts'
export * from './otp/index.ts'
export * from './stage/index.ts'
