/** @module sluice/flow: many events, in stages that work at the same time: partitions, windows, accumulators. */

export { type Range, range } from '../stage/interop/range.ts'
export type { AnyFlow, ElementOf } from './any-flow.ts'
export { FlowCoordinator } from './coordinator.ts'
export { FlowError, type FlowErrorCode } from './errors.ts'
export type { BadRow, BadRowOptions } from './files/bad-row.ts'
export type { CsvOptions } from './files/csv-options.ts'
export type { FileRange, FileToRead, ReadOptions } from './files/file-part.ts'
export type { RangeOptions } from './files/file-ranges.ts'
export * as files from './files/files.ts'
export type { JsonLinesOptions } from './files/json-lines.ts'
export { Flow, type FlowSource } from './flow.ts'
export type { JoinedLeft, JoinedRight, JoinKey, JoinMode, JoinOptions, SameJoinKey } from './join/join.ts'
export { defineFlow, type FlowModule, type ModuleMeta } from './module/flow-module.ts'
export { runFlow } from './module/run-module.ts'
export type { MergeDispatcher } from './new-step.ts'
export type { Eventually, FlowStage, StageContext, Triggered } from './operation.ts'
export { Progress, type ProgressOptions } from './progress/progress.ts'
export type { Counts, ProgressReport, StepProgress } from './progress/run-counts.ts'
export { type ShowProgressOptions, showProgress } from './progress/show-progress.ts'
export type { ReduceOptions } from './reduce-options.ts'
export type { CannotBeEmitted, Emission, OneStageOptions, ReducedFlow } from './reduced-flow.ts'
export type {
  FlowChildOptions,
  FlowRunOptions,
  FlowStreamOptions,
  IntoOptions,
  StartFlowOptions,
} from './run-options.ts'
export type { RunningFlow } from './running-flow.ts'
export { SplitSource } from './splits/split-source.ts'
export type {
  HashOptions,
  KeyOptions,
  PartitionHash,
  PartitionKey,
  PartitionOptions,
  PropertyOf,
  StepOptions,
} from './step-options.ts'
export type { ThroughSpec, ThroughStage } from './through.ts'
export type { Decide, NoLateness, OneTrigger, TriggeredWindow } from './window/any-window.ts'
export type { TimeOf } from './window/event-time.ts'
export type { TimeUnit } from './window/time-unit.ts'
export type { LatenessOptions, TimeWindow, TriggeredTimeWindow } from './window/time-windows.ts'
export type { TriggerDecision } from './window/trigger.ts'
export type {
  Firing,
  OpenWindow,
  Pane,
  Piece,
  TriggerName,
  WindowDefinition,
  WindowHost,
  WindowId,
  WindowInfo,
  WindowStep,
} from './window/window.ts'
export { type Every, type Having, type SessionOptions, Window } from './window/windows.ts'
