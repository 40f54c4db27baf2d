import { describe, expect, it } from 'vitest'
import { Outstanding } from '../../examples/tickets/broker/outstanding.ts'

describe('what the tickets program knows of a queue that cannot be counted', () => {
  it('is what it has published or got, until it has answered for it', () => {
    const outstanding = new Outstanding()
    outstanding.published(['a', 'b'])
    expect(outstanding.delivered('b')).toBe(1)
    expect(outstanding.delivered('somebody else')).toBe(1)
    expect(outstanding.state).toEqual({ ready: 1, unanswered: 2, done: 0 })
    expect(outstanding.ids).toEqual(['a', 'b', 'somebody else'])
    outstanding.answered(['b', 'somebody else'])
    expect(outstanding.state).toEqual({ ready: 1, unanswered: 0, done: 2 })
    expect(outstanding.ids).toEqual(['a'])
  })

  it('tells what comes again from what comes', () => {
    const outstanding = new Outstanding()
    expect([outstanding.delivered('a'), outstanding.delivered('a'), outstanding.delivered('a')]).toEqual([1, 2, 2])
    outstanding.answered(['a'])
    expect(outstanding.state).toEqual({ ready: 0, unanswered: 0, done: 1 })
  })

  it('has what is published again also when the former delivery is answered for afterwards', () => {
    const outstanding = new Outstanding()
    outstanding.delivered('a')
    outstanding.published(['a'])
    outstanding.answered(['a'])
    expect(outstanding.ids).toEqual(['a'])
  })

  it('is nothing of what could not be published, but has it when it comes all the same', () => {
    const outstanding = new Outstanding()
    outstanding.published(['a', 'b'])
    outstanding.delivered('b')
    outstanding.refused(['a', 'b'])
    expect(outstanding.ids).toEqual(['b'])
  })
})
