import { describe, expect, it } from 'vitest'
import { failureText } from '../../src/connector/failure-report.ts'

describe('what an error says', () => {
  it('is its message, or its name, or what was thrown', () => {
    expect(failureText(new Error('refused'))).toBe('refused')
    expect(failureText(new RangeError(''))).toBe('RangeError')
    expect(failureText('refused')).toBe('refused')
  })

  it('is that of all addresses of a host, where Node gives several errors in one without a text', () => {
    const errors = [new Error('connect ECONNREFUSED ::1:5672'), new Error('connect ECONNREFUSED 127.0.0.1:5672')]
    const text = 'connect ECONNREFUSED ::1:5672; connect ECONNREFUSED 127.0.0.1:5672'
    expect(failureText(new AggregateError(errors))).toBe(text)
    expect(failureText(new AggregateError(errors, 'both'))).toBe('both')
    expect(failureText(new AggregateError([]))).toBe('AggregateError')
  })

  it('is the cause of what fetch throws as well', async () => {
    const error = await fetch('http://127.0.0.1:1').catch((thrown: unknown) => thrown)
    expect(failureText(error)).toBe('fetch failed: bad port')
    const refused = new TypeError('fetch failed', { cause: new AggregateError([new Error('connect ECONNREFUSED')]) })
    expect(failureText(refused)).toBe('fetch failed: connect ECONNREFUSED')
  })
})
