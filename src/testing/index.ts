/** @module sluice/testing: simulations and probes. */

export { checkDispatcher, type DispatcherCheckOptions } from './dispatcher-check/check-dispatcher.ts'
export { DispatcherCheckError, type DispatcherRule } from './dispatcher-check/rules.ts'
export { Probe } from './probe.ts'
export { type Handled, ProbeConsumer } from './probe-consumer.ts'
export { SimulatedProgram } from './simulated-program.ts'
export { type LogLine, Simulation, SimulationError, type SimulationOptions, simulate } from './simulation.ts'
export { VirtualClock } from './virtual-clock.ts'
