/**
 * A gate: a stage in the middle that holds events and decides itself when they go on. Other than a `ProducerConsumer` it
 * takes events as they come, knows how many its consumers wait for, and asks its producers by hand.
 */

import { defineBase } from '../../otp/definition.ts'
import { ProducerConsumer } from '../producer-consumer.ts'
import { GateBehaviour } from './gate-behaviour.ts'

export abstract class Gate<In, Out> extends ProducerConsumer<In, Out> {
  declare readonly $base?: Gate<unknown, unknown> | undefined

  /** How many events it holds. When its producers have ended, it stays until there are none. */
  abstract get holding(): number

  /**
   * Runs after each message: the time to let events go on and to ask for more.
   *
   * @param ready How many events consumers would take now.
   * @param wanted How many they asked for and that were not emitted yet; more than `ready` when some of them have gone.
   */
  abstract handlePass(ready: number, wanted: number): void

  /** Its producers have ended, or it drains: nothing more comes. */
  handleEnding(): void {}
}

defineBase(Gate, (process, definition) => new GateBehaviour(process, definition), {
  options: ['subscribeTo'],
  abstractCallbacks: ['handleEvents', 'handlePass'],
})
