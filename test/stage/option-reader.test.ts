import { describe, expect, it } from 'vitest'
import { OptionReader } from '../../src/stage/option-reader.ts'

class Refusal extends Error {}
const owner = { name: 'Connector', refusal: (text: string) => new Refusal(text) }
const KNOWN = ['host', 'port', 'ssl', 'mode', 'wait', 'limit', 'headers', 'onError', 'parts']
const reading = (given: unknown) => new OptionReader(owner, given, KNOWN)

describe('options of a connector', () => {
  it('are undefined when they were not given, so that defaults stand where they are read', () => {
    const options = reading({ host: undefined })
    expect(
      [options.string('host'), options.integer('port', 1), options.boolean('ssl')].filter(
        (value) => value !== undefined,
      ),
    ).toEqual([])
    expect(
      [options.count('limit'), options.delay('wait'), options.duration('wait')].filter((value) => value !== undefined),
    ).toEqual([])
    expect(
      [options.object('headers'), options.method('onError', 'a function'), options.oneOf('mode', ['a'])].filter(
        (value) => value !== undefined,
      ),
    ).toEqual([])
    expect(options.has('host')).toBe(false)
  })

  it.each<[string, unknown, (options: OptionReader) => unknown]>([
    ['Connector has no option hots: did you mean host? Known are host, port', { hots: 1 }, () => {}],
    ['Connector has no option id: known are host, port', { id: 1 }, () => {}],
    ['the options of Connector: expected an object of options, got nothing', undefined, () => {}],
    ['the options of Connector: expected an object of options, got an array of 1', [1], () => {}],
    ['host of Connector: expected a string, got 5', { host: 5 }, (options) => options.string('host')],
    ['host of Connector: expected a string, got number', { host: 5 }, (options) => options.secret('host')],
    ['port of Connector: expected a whole number >= 1, got 0', { port: 0 }, (options) => options.integer('port', 1)],
    [
      'port of Connector: expected a whole number >= 0, got 1.5',
      { port: 1.5 },
      (options) => options.integer('port', 0),
    ],
    ['limit of Connector: expected a whole number >= 1 or Infinity, got 0', { limit: 0 }, (o) => o.count('limit')],
    ['wait of Connector: expected milliseconds >= 0, got Infinity', { wait: Infinity }, (o) => o.delay('wait')],
    ['wait of Connector: expected milliseconds > 0, got 0', { wait: 0 }, (options) => options.duration('wait')],
    ['wait of Connector: expected milliseconds > 0, got NaN', { wait: Number.NaN }, (o) => o.duration('wait')],
    ['ssl of Connector: expected a boolean, got 1', { ssl: 1 }, (options) => options.boolean('ssl')],
    ["mode of Connector: expected 'a', 'b' or 'c', got 'd'", { mode: 'd' }, (o) => o.oneOf('mode', ['a', 'b', 'c'])],
    ["mode of Connector: expected 'a' or 'b', got 'd'", { mode: 'd' }, (o) => o.oneOf('mode', ['a', 'b'])],
    ['headers of Connector: expected an object, got an array of 1', { headers: [1] }, (o) => o.object('headers')],
    [
      'onError of Connector: expected a function of an error, got 1',
      { onError: 1 },
      (o) => o.method('onError', 'a function of an error'),
    ],
    [
      'onError of Connector: expected a function of an error, got nothing',
      {},
      (o) => o.required('onError', 'a function of an error'),
    ],
    [
      'parts of Connector: expected some parts, got an empty object',
      { parts: {} },
      (o) => o.entries('parts', 'some parts'),
    ],
    ['parts of Connector has no option b: known is a', { parts: { b: 1 } }, (o) => o.at('parts', ['a'])],
    ['parts.a of Connector: expected a boolean, got 1', { parts: { a: 1 } }, (o) => o.at('parts', ['a']).boolean('a')],
    [
      'parts.a.b of Connector: expected a boolean, got 1',
      { parts: { a: { b: 1 } } },
      (o) => o.at('parts', ['a']).at('a', ['b']).boolean('b'),
    ],
  ])('are refused with the error of the connector: %s', (text, given, read) => {
    const refused = expect(() => read(reading(given)))
    refused.toThrow(Refusal)
    refused.toThrow(text)
  })

  it('are given as they are when they are right', () => {
    const given = {
      host: 'a',
      port: 0,
      limit: Infinity,
      wait: 0,
      ssl: false,
      mode: 'b',
      headers: { x: 1 },
      parts: { a: 2 },
    }
    const options = reading(given)
    expect(options.string('host')).toBe('a')
    expect(options.integer('port', 0)).toBe(0)
    expect(options.count('limit')).toBe(Infinity)
    expect(options.delay('wait')).toBe(0)
    expect(options.boolean('ssl')).toBe(false)
    expect(options.oneOf('mode', ['a', 'b'])).toBe('b')
    expect(options.object('headers')).toEqual({ x: 1 })
    expect(options.entries('parts', 'some')).toEqual([['a', 2]])
    expect(options.at('none', ['a'], {}).has('a')).toBe(false)
  })

  it('are called as methods of the object that they were given in', () => {
    class Handler {
      readonly host = 'a'
      onError(): string {
        return this.host
      }
    }
    const options = reading(new Handler())
    expect(options.required<() => string>('onError', 'a function')()).toBe('a')
  })
})
