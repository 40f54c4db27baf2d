/**
 * Windows: which events are accumulated together, and when what was accumulated is emitted.
 *
 * A window value is configuration, part of a step. Each stage of the step's layer opens it for itself (`open`) and asks the
 * open window three things: what a batch means (`batch`), what the end of the input means (`end`), what the coming and going of
 * a producer means. The answers are steps, done one after another: events that belong to an accumulator (a pane), and panes
 * that fire. An open window knows nothing of operations, emission, or stages, so that a new kind of window is one file.
 */

/**
 * What made a window fire: `done` closes it, `watermark` says that time has passed it and late events are still let in;
 * `{ every }` and `{ periodically, unit }` are triggers of the window; anything else is a name that the user chose.
 */
export type TriggerName = 'done' | 'watermark' | (string & {}) | object

/** Which window fires, and why, as `onTrigger` is told. */
export interface WindowInfo {
  readonly type: string
  /** `global`; a count from 0 of the windows of the stage; or the start of the window in milliseconds. */
  readonly id: WindowId
  readonly trigger: TriggerName
  /** The key of a session. */
  readonly key?: unknown
  /** The times of the first and the last event of a session so far, in milliseconds. */
  readonly start?: number
  readonly end?: number
}

export type WindowId = string | number

/** One window of one stage: what its events were accumulated to. Windows only hold on to it, and hand it back in steps. */
export interface Pane {
  readonly id: WindowId
}

/** Events that belong to a pane, in order. */
export interface Piece<P extends Pane = Pane> {
  readonly pane: P
  readonly events: readonly unknown[]
  /** The producer that they are from, where it is not the one of the batch in hand. */
  readonly from?: object | undefined
}

/** A pane fires. With `closes` it is forgotten: nothing fires for it any more. */
export interface Firing<P extends Pane = Pane> {
  readonly pane: P
  readonly trigger: TriggerName
  readonly closes: boolean
}

export type WindowStep<P extends Pane = Pane> = Piece<P> | Firing<P>

/** What an open window can ask of its stage. */
export interface WindowHost<P extends Pane = Pane> {
  /** A pane with an accumulator of its own; `more` is what `onTrigger` is told of it besides, when it fires. */
  pane(id: WindowId, more?: () => object): P
  /** The panes that have not closed, by their ids. */
  panes(): readonly P[]
  /** Has steps done after `ms` milliseconds, between two batches. Cancelled by the stage when the window has ended. */
  after(ms: number, steps: () => Iterable<WindowStep<P>>): { cancel(): void }
  /** So many events were dropped, because their window was over. */
  late(count: number): void
}

/** A window that was opened by one stage. What it answers is iterated once, to the end, before it is asked again. */
export interface OpenWindow<P extends Pane = Pane> {
  /** What a batch from a producer means; `from` is the same object for all batches of one producer. */
  batch(events: readonly unknown[], from: object): Iterable<WindowStep<P>>
  /** The input has ended: closes what is open. Nothing is asked after it. */
  end(): Iterable<WindowStep<P>>
  /** A producer begins to send. */
  joined?(from: object): void
  /** A producer will send no more, others go on. */
  left?(from: object): Iterable<WindowStep<P>>
}

/** A window as configuration, for events of type `T`; made with `Window`, or by hand for a kind of your own. */
export interface WindowDefinition<in T = unknown> {
  /** The type of the events; exists for the compiler only. */
  readonly $event?: ((event: T) => void) | undefined
  /** What `onTrigger` is told. */
  readonly type: string
  /** Windows of different stages have nothing in common, though they may have the same id. Default: those with the same id are one. */
  readonly alone?: boolean | undefined
  open<P extends Pane>(host: WindowHost<P>): OpenWindow<P>
}
