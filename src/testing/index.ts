/** @module sluice/testing: simulations and probes, checks of dispatchers and connectors. */

export { type ConnectorCheck, type ConnectorCheckOptions, connectorChecks } from './connector-check/connector-checks.ts'
export type {
  ConnectorHarness,
  ConnectorPayload,
  ConnectorProducer,
  ConnectorPublisher,
} from './connector-check/harness.ts'
export { type ConnectorBreach, ConnectorCheckError, type ConnectorRule } from './connector-check/rules.ts'
export { checkDispatcher, type DispatcherCheckOptions } from './dispatcher-check/check-dispatcher.ts'
export { DispatcherCheckError, type DispatcherRule } from './dispatcher-check/rules.ts'
export { Probe } from './probe.ts'
export { type Handled, ProbeConsumer } from './probe-consumer.ts'
export { SimulatedProgram } from './simulated-program.ts'
export { type LogLine, Simulation, SimulationError, type SimulationOptions, simulate } from './simulation.ts'
export { VirtualClock } from './virtual-clock.ts'
