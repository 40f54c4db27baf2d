/** @module sluice/otp: servers and supervisors. */

export * from '../process/index.ts'
export { Agent, type AgentCalls, type AgentStep } from './agent.ts'
export { type Application, type ApplicationEnd, run } from './application/application.ts'
export type { RunOptions, SignalExitCode } from './application/application-options.ts'
export type { Dropped } from './application/shutdown-report.ts'
export { fresh } from './argument.ts'
export {
  AgentError,
  type AgentErrorCode,
  RegistryError,
  type RegistryErrorCode,
  StartError,
  type StartErrorCode,
  SupervisorError,
  type SupervisorErrorCode,
  TaskError,
  type TaskErrorCode,
} from './errors.ts'
export { GenServer } from './gen-server.ts'
export {
  type DispatchOptions,
  type EntryPattern,
  type KeyedEntry,
  Registry,
  type RegistryEntry,
  type RegistryOwner,
  type RegistryTarget,
  type ValueArgument,
} from './registry/registry.ts'
export { Registered, Unregistered } from './registry/registry-messages.ts'
export type { RegistryKeys, RegistryOptions } from './registry/registry-options.ts'
export type { Pattern } from './registry/registry-pattern.ts'
export { via } from './registry/registry-via.ts'
export { timeout } from './server-behaviour.ts'
export {
  type ArgumentOption,
  ignore,
  type OptionsOf,
  type StartArguments,
  type StartOptions,
  start,
  startLink,
} from './start.ts'
export {
  type ChildArguments,
  type ChildId,
  type ChildOptions,
  type ChildSpec,
  child,
  type Restart,
  type Shutdown,
} from './supervision/child-spec.ts'
export { DynamicSupervisor, type DynamicSupervisorOptions } from './supervision/dynamic-supervisor.ts'
export { formatNode, formatTree } from './supervision/format-tree.ts'
export { PartitionSupervisor, type PartitionSupervisorOptions, partition } from './supervision/partition-supervisor.ts'
export type { ChildCounts, ChildInfo } from './supervision/supervised-child.ts'
export {
  type ProcessNode,
  type ProcessState,
  supervisionTree,
  type TreeOptions,
} from './supervision/supervision-tree.ts'
export { Supervisor, supervise } from './supervision/supervisor.ts'
export type { AutoShutdown, DynamicOptions, Strategy, SupervisorOptions } from './supervision/supervisor-options.ts'
export type { AsyncStreamOptions, StreamFunction, StreamOutcome } from './task/async-stream.ts'
export { Task } from './task/task.ts'
export type { TaskContext, TaskFunction, TaskOutcome } from './task/task-context.ts'
export type { TaskOptions, TaskStreamOptions, TaskSupervisorTarget } from './task/task-host.ts'
export type { WaitOptions, YieldManyOptions } from './task/task-options.ts'
export { TaskReply } from './task/task-reply.ts'
export { type SupervisedTaskOptions, type TaskChildOptions, TaskSupervisor } from './task/task-supervisor.ts'
