/** The parts of the scraper example. */

import { type Ref, start } from 'sluice'
import { type Simulation, simulate } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { Frontier } from '../../examples/scraper/crawl/frontier.ts'
import type { Answer, Page, Visit } from '../../examples/scraper/crawl/page.ts'
import { linkTo, parsePage } from '../../examples/scraper/crawl/parse-page.ts'
import { progressLine, report } from '../../examples/scraper/crawl/report.ts'
import { reasonFor } from '../../examples/scraper/crawl/robots.ts'
import { type Summary, Visits } from '../../examples/scraper/crawl/visits.ts'
import { RawProcess } from '../support/raw-process.ts'

const run = (test: (sim: Simulation) => Promise<void>) => simulate().run(test)
const page = (url: string, from?: string): Page => ({ url, from })

describe('a page', () => {
  it('leads to the pages of its site that it links to, each once', () => {
    const html = `
      <title> A  page
      </title>
      <a href="/b">b</a> <a href="c?d=1#e">c</a> <a href="/b#f">b again</a> <a name="here">no link</a>
      <a href="https://example.com/">elsewhere</a> <a href="mailto:a@b.org">mail</a> <a href="http://[">nonsense</a>
      <a href="/paid" rel="sponsored nofollow">not to be followed</a>`
    expect(parsePage(html, 'http://a.org/dir/page')).toEqual({
      title: 'A  page',
      links: ['http://a.org/b', 'http://a.org/dir/c?d=1'],
    })
  })

  it('may say where its links begin', () => {
    const html = '<base href="/elsewhere/"><a href="b">b</a>'
    expect(parsePage(html, 'http://a.org/dir/page').links).toEqual(['http://a.org/elsewhere/b'])
  })

  it('of another port is of another site', () => {
    expect(linkTo('http://a.org:81/', 'http://a.org/', 'http://a.org/')).toBeUndefined()
  })
})

describe('the frontier', () => {
  const begin = async (maxPages = 100) => {
    const frontier = await start(Frontier, { arg: { maxPages } })
    const raw = new RawProcess()
    const subscription = raw.subscribeTo(frontier)
    const sent = () => (raw.of('events') as Page[][]).flat().map(({ url, from }) => (from ? `${from} -> ${url}` : url))
    return { frontier, subscription, sent }
  }

  it('emits each page once, when somebody has asked for it, with the page of its first link', () =>
    run(async (sim) => {
      const { frontier, subscription, sent } = await begin()
      frontier.cast.begin('a')
      await sim.settle()
      expect(sent()).toEqual([])
      subscription.ask(2)
      await sim.settle()
      expect(sent()).toEqual(['a'])
      frontier.cast.finished(page('a'), ['b', 'c', 'a', 'b'])
      await sim.settle()
      expect(sent()).toEqual(['a', 'a -> b'])
      expect(await frontier.call.waiting()).toBe(1)
      frontier.cast.finished(page('b', 'a'), ['c', 'd'])
      subscription.ask(5)
      await sim.settle()
      expect(sent()).toEqual(['a', 'a -> b', 'a -> c', 'b -> d'])
    }))

  it('ends when all pages are done, and not before', () =>
    run(async (sim) => {
      const { frontier, subscription } = await begin()
      subscription.ask(10)
      frontier.cast.begin('a')
      frontier.cast.finished(page('a'), ['b', 'c'])
      frontier.cast.finished(page('c', 'a'), [])
      await sim.settle()
      expect(frontier.alive).toBe(true)
      frontier.cast.finished(page('b', 'a'), ['a'])
      expect(await frontier.done).toBe('normal')
    }))

  it('knows no more pages than it may', () =>
    run(async (sim) => {
      const { frontier, subscription, sent } = await begin(2)
      subscription.ask(10)
      frontier.cast.begin('a')
      frontier.cast.finished(page('a'), ['b', 'c'])
      await sim.settle()
      expect(sent()).toEqual(['a', 'a -> b'])
      frontier.cast.finished(page('b', 'a'), ['d'])
      expect(await frontier.done).toBe('normal')
    }))
})

describe('the visits', () => {
  const answer: Answer = { status: 200, outcome: '200 OK', title: 'A', links: ['b', 'c'], bytes: 10, ms: 5 }

  interface Begun {
    readonly visits: Ref<Visits>
    readonly told: readonly string[]
    /** Each page that is done, with its links. */
    readonly done: readonly string[]
    readonly finished: () => Promise<Summary>
  }

  async function begin(attempts: number): Promise<Begun> {
    const told: string[] = []
    const done: string[] = []
    let summary: Summary | undefined
    const visits = await start(Visits, {
      arg: {
        attempts,
        tell: (line) => told.push(line),
        done: ({ url }, links) => done.push(`${url} -> ${links}`),
        finish: (all) => {
          summary = all
        },
      },
    })
    const finished = async () => {
      await visits.stop()
      if (summary === undefined) throw new Error('it did not finish')
      return summary
    }
    return { visits, told, done, finished }
  }

  it('count the attempts, over the restarts of those who make them', () =>
    run(async () => {
      const { visits, told, finished } = await begin(3)
      const url = 'http://a.org/b?c=1'
      expect(await visits.call.begin(page(url))).toBe(1)
      visits.cast.failed(url, 'cut off')
      expect(await visits.call.begin(page(url))).toBe(2)
      // This one was killed, and could not say so.
      expect(await visits.call.begin(page(url))).toBe(3)
      await visits.call.visited(page(url), answer)
      expect(told).toEqual(['/b?c=1: cut off, it is tried again', '/b?c=1: timed out, it is tried again'])
      expect((await finished()).visits).toMatchObject([{ url, status: 200, links: 2, attempts: 3 }])
    }))

  it('close a page that was tried often enough, with the reason of its last failure', () =>
    run(async () => {
      const { visits, told, done, finished } = await begin(1)
      const url = 'http://a.org/'
      await visits.call.begin(page(url))
      visits.cast.failed(url, 'cut off')
      expect(await visits.call.totals()).toMatchObject({ visited: 0, running: 1, broken: 0, latest: url })
      expect(await visits.call.begin(page(url))).toBeUndefined()
      expect(await visits.call.totals()).toMatchObject({ visited: 1, running: 0, broken: 1 })
      expect({ told, done }).toEqual({ told: [], done: [`${url} -> `] })
      expect((await finished()).visits).toMatchObject([{ url, status: undefined, outcome: 'cut off', attempts: 1 }])
    }))

  it('tell once that a page is done, also when its scraper is killed before it has ended', () =>
    run(async () => {
      const { visits, told, done, finished } = await begin(3)
      const url = 'http://a.org/'
      await visits.call.begin(page(url))
      await visits.call.visited(page(url), answer)
      expect(await visits.call.begin(page(url))).toBeUndefined()
      expect({ told, done }).toEqual({ told: [], done: [`${url} -> b,c`] })
      expect((await finished()).visits).toHaveLength(1)
    }))

  it('know what was left', () =>
    run(async () => {
      const { visits, finished } = await begin(3)
      await visits.call.begin(page('http://a.org/'))
      visits.cast.keptOut(page('http://a.org/secret'))
      visits.cast.leftOver(7)
      expect(await finished()).toMatchObject({ visits: [], keptOut: 1, leftOver: 8, mostAtOnce: 1 })
    }))
})

describe('what people get to read', () => {
  const visit = (path: string, ms: number, rest: Partial<Visit> = {}): Visit => ({
    ...{ url: `http://a.org${path}`, from: 'http://a.org/', status: 200, outcome: '200 OK', title: '', links: 0 },
    ...{ bytes: 1500, attempts: 1, ms },
    ...rest,
  })

  it('is a table of the outcomes, the slowest pages, the broken links and the sums', () => {
    const visits = [
      visit('/', 10, { from: undefined }),
      ...[20, 30, 40, 50].map((ms) => visit(`/${ms}`, ms)),
      visit('/gone', 1234, { status: 404, outcome: '404 Not Found' }),
      visit('/slow', 60, { status: undefined, outcome: 'timed out', attempts: 3 }),
    ]
    expect(report({ visits, keptOut: 2, leftOver: 0, mostAtOnce: 4 }, 2000)).toEqual([
      '200 OK                  5  ████████████████████████████████',
      '404 Not Found           1  ██████▍',
      'timed out               1  ██████▍',
      'kept out by robots.txt  2  ████████████▊',
      '',
      'slowest',
      '  1,234 ms  /gone',
      '     60 ms  /slow',
      '     50 ms  /50',
      '     40 ms  /40',
      '     30 ms  /30',
      '',
      'broken links',
      '  404 Not Found  /gone  linked from /',
      '  timed out      /slow  linked from /',
      '',
      '7 pages and 11 kB in 2.0 s, 3.5 pages/s, at most 4 at a time, 1 tried more than once',
    ])
  })

  it('is one page if there was no other', () => {
    const lines = report({ visits: [visit('/', 5)], keptOut: 0, leftOver: 0, mostAtOnce: 1 }, 500)
    expect(lines.at(-1)).toBe('1 page and 2 kB in 0.5 s, 2.0 pages/s, at most 1 at a time, 0 tried more than once')
  })

  it('is a line while it runs', () => {
    const totals = { visited: 30, running: 4, broken: 1, latest: 'http://a.org/b?c' }
    expect(progressLine(totals, 12, 3000)).toBe(
      '30 visited · 4 on their way · 12 to go · 1 broken · 10.0 pages/s · /b?c',
    )
  })

  it.each([
    [
      new TypeError('fetch failed', { cause: Object.assign(new Error('x'), { code: 'ECONNREFUSED' }) }),
      'connection refused',
    ],
    [new TypeError('fetch failed', { cause: Object.assign(new Error('x'), { code: 'ENOTFOUND' }) }), 'no such host'],
    [
      new TypeError('fetch failed', { cause: Object.assign(new Error('x'), { code: 'EAI_AGAIN' }) }),
      'no answer from the name service',
    ],
    [new TypeError('terminated', { cause: Object.assign(new Error('x'), { code: 'UND_ERR_SOCKET' }) }), 'cut off'],
    [new TypeError('fetch failed', { cause: new Error('bad port') }), 'bad port'],
    [new DOMException('too late', 'TimeoutError'), 'timed out'],
    [new Error('something else'), 'something else'],
    ['a word', 'a word'],
  ])('says of %s why a request failed', (error, reason) => {
    expect(reasonFor(error)).toBe(reason)
  })
})
