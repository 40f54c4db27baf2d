/** The scraper example as its users run it: the real program, on real web servers. Needs a build. */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startLink } from 'sluice'
import { afterAll, describe, expect, it } from 'vitest'
import { STEPS } from '../../examples/scraper/book/steps.ts'
import { program } from '../../examples/scraper/program.ts'
import { museum } from '../../examples/scraper/world/museum.ts'
import { type WebPage, WebServer } from '../../examples/scraper/world/web-server.ts'
import { runExample } from '../support/example-program.ts'

const folder = mkdtempSync(join(tmpdir(), 'scraper-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** Runs the program in this process. */
async function scrape(args: readonly string[]) {
  let stdout = ''
  let stderr = ''
  const to = (write: (text: string) => void) => ({ write })
  const code = await program(
    args,
    to((text) => {
      stdout += text
    }),
    to((text) => {
      stderr += text
    }),
  )
  return { code, stdout, stderr }
}

/** What the stages of each step said, by the name of the step. */
function linesOf(stdout: string): ReadonlyMap<string, readonly string[]> {
  const sections = stdout.split(/^.* {2}--step /m).slice(1)
  return new Map(
    sections.map((section) => {
      const lines = [...section.matchAll(/^ +\d+\.\d\d s {2}(.*)$/gm)].map(([, line = '']) => line)
      return [section.slice(0, section.indexOf('\n')), lines]
    }),
  )
}

const SITES = ['google.com', 'facebook.com', 'apple.com', 'netflix.com', 'amazon.com']
/** One is down. */
const ONLINE = SITES.filter((site) => site !== 'apple.com')
const PAGES_COME = 'PageProducer.scrapePages(5 pages)'
const ASKED = 'PageProducer received demand for 1 pages'

/**
 * What one process says is in an order that is certain, and so is what one causes another to say. Which of two processes that do
 * not wait for each other comes first is the scheduler's choice, and differs on a busy machine: their lines are compared without
 * their order.
 */
describe.concurrent('the scraper as its users run it', () => {
  it('says in each step what the book says', async ({ expect }) => {
    const { code, stdout, stderr } = await runExample('scraper', ['--step', 'all'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const said = linesOf(stdout)
    expect([...said.keys()]).toEqual(STEPS.map(({ name }) => name))
    const linesIn = (step: string) => said.get(step) ?? []
    /** The lines that begin so: of one process, or of several that are alike. */
    const linesFrom = (step: string, who: string) => linesIn(step).filter((line) => line.startsWith(who))
    const linesBefore = (step: string) => linesIn(step).slice(0, linesIn(step).indexOf(PAGES_COME))
    const linesAfter = (step: string) => linesIn(step).slice(linesIn(step).indexOf(PAGES_COME) + 1)
    const sorted = (lines: readonly string[]) => lines.toSorted()

    // Of these each one causes the next.
    expect(linesIn('one-consumer')).toEqual([
      'PageProducer init',
      'PageConsumer init',
      'PageProducer received demand for 3 pages',
      PAGES_COME,
      'PageConsumer received ["google.com", "facebook.com", "apple.com"]',
      ASKED,
      'PageConsumer received ["netflix.com", "amazon.com"]',
    ])

    const received = (sites: readonly string[]) => sites.map((site) => `PageConsumer received ["${site}"]`)
    for (const step of ['two-consumers', 'small-buffer']) {
      expect([
        ['PageProducer init', 'PageConsumer init', 'PageConsumer init', ASKED, ASKED],
        ['PageProducer init', 'PageConsumer init', ASKED, 'PageConsumer init', ASKED],
      ]).toContainEqual(linesBefore(step))
      // The last one that is done asks in vain.
      expect(linesAfter(step).at(-1)).toBe(ASKED)
    }
    expect(sorted(linesAfter('two-consumers'))).toEqual(sorted([...received(SITES), ASKED, ASKED]))
    const discarded = /^PageProducer#\d+ discarded 2 events: its buffer is full/
    expect(linesIn('small-buffer').filter((line) => discarded.test(line))).toHaveLength(1)
    expect(sorted(linesAfter('small-buffer').filter((line) => !discarded.test(line)))).toEqual(
      sorted([...received(['google.com', 'facebook.com', 'amazon.com']), ASKED, ASKED]),
    )

    expect(linesBefore('supervisor')).toEqual([
      'PageProducer init',
      'PageConsumerSupervisor init',
      'PageProducer received demand for 2 pages',
    ])
    const scraped = (sites: readonly string[]) => sorted(sites.map((site) => `PageConsumer received ${site}`))
    expect(sorted(linesFrom('supervisor', 'PageConsumer received'))).toEqual(scraped(SITES))
    expect(linesAfter('supervisor').at(-1)).toBe(ASKED)

    // Whoever subscribes waits before the pages come, and in the end again.
    const waiting: Readonly<Record<string, readonly string[]>> = {
      'two-consumers': [ASKED, ASKED],
      supervisor: ['PageProducer received demand for 2 pages'],
      online: [ASKED],
      'two-online': [ASKED, ASKED],
      flow: [ASKED, ASKED],
      broadway: [ASKED, ASKED],
      broadcast: [ASKED],
      partition: [ASKED, ASKED],
    }
    for (const [step, asked] of Object.entries(waiting)) {
      const again = step === 'supervisor' ? [ASKED, ASKED] : asked
      expect(linesFrom(step, 'PageProducer')).toEqual(['PageProducer init', ...asked, PAGES_COME, ...again])
    }

    const inits = (step: string) => linesIn(step).filter((line) => line.endsWith(' init'))
    const middle = 'OnlinePageProducerConsumer'
    expect(inits('online')).toEqual(['PageProducer init', `${middle} init`, 'PageConsumerSupervisor init'])
    expect(linesFrom('online', `${middle} received`)).toEqual(SITES.map((site) => `${middle} received ["${site}"]`))
    expect(inits('two-online')).toEqual([
      'PageProducer init',
      `${middle} init`,
      `${middle} init`,
      'PageConsumerSupervisor init',
    ])
    expect(sorted(linesFrom('two-online', `${middle} received`))).toEqual(
      sorted(SITES.map((site) => `${middle} received ["${site}"]`)),
    )
    expect(inits('flow')).toEqual(['PageProducer init', 'PageConsumerSupervisor init'])
    expect(sorted(linesFrom('flow', 'OnlineFlow'))).toEqual(sorted(SITES.map((site) => `OnlineFlow received ${site}`)))
    for (const step of ['online', 'two-online', 'flow']) {
      expect(sorted(linesFrom(step, 'PageConsumer received'))).toEqual(scraped(ONLINE))
      for (const site of ONLINE) {
        const [checked, scraping] = linesIn(step).filter((line) => line.includes(site))
        expect([step, checked]).toEqual([step, expect.stringMatching(/^Online/)])
        expect([step, scraping]).toEqual([step, expect.stringMatching(/^PageConsumer/)])
      }
    }

    expect(inits('broadway')).toEqual(['PageProducer init'])
    expect(linesIn('broadway').filter((line) => line.includes('apple.com'))).toEqual([
      'Processor received apple.com',
      'apple.com failed: offline',
    ])
    for (const site of ONLINE) {
      expect(linesIn('broadway').filter((line) => line.includes(site))).toEqual([
        `Processor received ${site}`,
        `BatchProcessor received ${site}`,
      ])
    }

    expect(inits('broadcast')).toEqual(['PageProducer init', 'PageConsumer init', 'ShopConsumer init'])
    expect(linesFrom('broadcast', 'PageConsumer received')).toEqual(received(SITES))
    expect(linesFrom('broadcast', 'ShopConsumer received')).toEqual(['ShopConsumer received ["amazon.com"]'])

    expect(linesFrom('partition', 'PageConsumer a-f received')).toEqual(
      ['facebook', 'apple', 'amazon'].map((site) => `PageConsumer a-f received ["${site}.com"]`),
    )
    expect(linesFrom('partition', 'PageConsumer g-z received')).toEqual(
      ['google', 'netflix'].map((site) => `PageConsumer g-z received ["${site}.com"]`),
    )
  })

  it('visits every page of the museum, and shows what became of them', async ({ expect }) => {
    const { code, stdout, stderr } = await runExample('scraper', ['--rate', '300', '--timeout', '5000'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/^200 OK +247 {2}█{32}$/m)
    expect(stdout).toMatch(/^404 Not Found +4 {2}/m)
    expect(stdout).toMatch(/^500 Internal Server Error +2 {2}/m)
    expect(stdout).toMatch(/^503 Service Unavailable +1 {2}/m)
    expect(stdout).toMatch(/^301 Moved Permanently +1 {2}/m)
    expect(stdout).toMatch(/^cut off +1 {2}/m)
    expect(stdout).toMatch(/^timed out +1 {2}/m)
    expect(stdout).toMatch(/^kept out by robots.txt +14 {2}/m)
    expect(stdout).toMatch(/^slowest\n {2}[\d,]+ ms {2}\/objects\/oak-sextant$/m)
    expect(stdout).toMatch(/^ {2}404 Not Found +\/objects\/oak-barometer +linked from \/rooms\/barometers$/m)
    expect(stdout).toMatch(/^ {2}timed out +\/objects\/oak-sextant +linked from \/\S+$/m)
    expect(stdout).toMatch(/ {2}\/objects\/copper-cannon: cut off, it is tried again$/m)
    expect(stdout).toMatch(
      /^257 pages and \d+ kB in [\d.]+ s, [\d.]+ pages\/s, at most \d at a time, \d+ tried more than once$/m,
    )
  })

  it('finishes the pages that are on their way at Ctrl-C, and tells the rest', async ({ expect }) => {
    let interrupted = false
    const { code, stdout, stderr } = await runExample('scraper', ['--rate', '20', '--timeout', '20000'], {
      onOutput: (stdout, program) => {
        if (interrupted || !stdout.includes('visited')) return
        interrupted = true
        program.kill('SIGINT')
      },
    })
    expect({ code, stderr }).toEqual({ code: 130, stderr: '' })
    expect(stdout).toMatch(/^not visited any more +\d+ /m)
    expect(stdout).not.toContain('had not finished')
    expect(stdout).toMatch(/^\d+ pages and /m)
  })
})

describe('the steps of the scraper', () => {
  it('can be seen one by one', async () => {
    const { code, stdout } = await scrape(['--step', 'one-consumer'])
    expect(code).toBe(0)
    expect([...linesOf(stdout).keys()]).toEqual(['one-consumer'])
  })
})

describe('a crawl', () => {
  it('asks for each page once, for none that robots.txt forbids, and for no more at a time than allowed', async () => {
    const pages = museum()
    const healthy = new Map(
      [...pages].filter(([, { delay = 0, brokenAnswers }]) => delay < 100 && brokenAnswers === undefined),
    )
    await using server = await startLink(WebServer, { arg: { pages: () => healthy } })
    const { code } = await scrape([await server.call.origin(), '--rate', '1000', '--concurrency', '3'])
    expect(code).toBe(0)
    const { paths, mostAtOnce } = await server.call.requests()
    expect(mostAtOnce).toBeLessThanOrEqual(3)
    expect([...paths].filter(([, count]) => count !== 1)).toEqual([])
    const asked = [...paths.keys()]
    expect(asked.filter((path) => path.startsWith('/storage/') || path.includes('?'))).toEqual([])
    expect(asked.length).toBeGreaterThan(240)
    const missed = [...healthy.keys()].filter((path) => !paths.has(path) && !path.startsWith('/storage/'))
    expect(missed).toEqual([])
  })

  it('tries again what breaks off, with the page it was at, as often as it may', async () => {
    const pages = new Map<string, WebPage>([
      ['/', { body: '<a href="/once">1</a><a href="/always">2</a><a href="/never">3</a>' }],
      ['/once', { body: '<title>Once</title>', brokenAnswers: 1 }],
      ['/always', { body: '<title>Always</title>', brokenAnswers: Infinity }],
      ['/never', { delay: Infinity }],
    ])
    await using server = await startLink(WebServer, { arg: { pages: () => pages } })
    const save = join(folder, 'visits.ndjson')
    const args = ['--rate', '1000', '--attempts', '2', '--timeout', '5000', '--save', save]
    const { code, stdout } = await scrape([await server.call.origin(), ...args])
    expect(code).toBe(0)
    const { paths } = await server.call.requests()
    expect(Object.fromEntries(paths)).toEqual({ '/robots.txt': 1, '/': 1, '/once': 2, '/always': 2, '/never': 2 })
    const visits = readFileSync(save, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line): { url: string; outcome: string; attempts: number; title: string } => JSON.parse(line))
    const outcomes = visits.map(({ url, outcome, attempts }) => [new URL(url).pathname, outcome, attempts])
    expect(outcomes.toSorted()).toEqual([
      ['/', '200 OK', 1],
      ['/always', 'cut off', 2],
      ['/never', 'timed out', 2],
      ['/once', '200 OK', 2],
    ])
    expect(stdout).toMatch(/\/never: timed out, it is tried again$/m)
  })

  it('keeps to the delay that robots.txt asks for, and to the number of pages', async () => {
    const pages = new Map<string, WebPage>([
      ['/robots.txt', { type: 'text/plain', body: 'User-agent: *\nCrawl-delay: 0.2\n' }],
      ['/', { body: '<a href="/a">a</a><a href="/b">b</a><a href="/c">c</a>' }],
      ['/a', { body: 'a' }],
    ])
    await using server = await startLink(WebServer, { arg: { pages: () => pages } })
    const origin = await server.call.origin()
    const { code, stdout } = await scrape([origin, '--rate', '1000', '--max-pages', '2'])
    expect(code).toBe(0)
    expect(stdout).toContain(`${origin}/: at most 5 pages a second, 8 at a time`)
    expect(stdout).toMatch(/^2 pages and /m)
    expect(Object.fromEntries((await server.call.requests()).paths)).toEqual({ '/robots.txt': 1, '/': 1, '/a': 1 })
  })

  it('of a site whose first page is not there fails', async () => {
    await using server = await startLink(WebServer, { arg: { pages: () => new Map() } })
    const { code, stdout } = await scrape([`${await server.call.origin()}/nothing`])
    expect(code).toBe(1)
    expect(stdout).toMatch(/^404 Not Found +1 {2}█+$/m)
  })
})

describe('the scraper program', () => {
  const known = 'known are --rate, --concurrency, --max-pages, --timeout, --attempts, --save, --step, --help'
  const steps = `known are ${STEPS.map(({ name }) => name).join(', ')}, all`

  it.each([
    ['no URL', ['example.org'], "expected a URL as in https://example.org/, got 'example.org'"],
    [
      'a URL of something else',
      ['ftp://example.org'],
      "expected a URL as in https://example.org/, got 'ftp://example.org'",
    ],
    ['two URLs', ['http://a.org', 'http://b.org'], 'expected one URL at most, got http://a.org/, http://b.org/'],
    ['a step that there is not', ['--step', 'three'], `--step: there is no step 'three', ${steps}`],
    ['a step of a site', ['--step', 'online', 'http://a.org'], '--step shows pages of its own, and takes no URL'],
    ['no rate', ['--rate', '0'], "--rate: expected a number from 0.01 to 10000, got '0'"],
    ['a rate that is none', ['--rate', 'fast'], "--rate: expected a number from 0.01 to 10000, got 'fast'"],
    ['no concurrency', ['--concurrency', '0'], "--concurrency: expected a whole number from 1 to 1000, got '0'"],
    ['half a page', ['--max-pages=1.5'], "--max-pages: expected a whole number from 1 to 1000000, got '1.5'"],
    ['an unknown option', ['--deep'], `unknown option '--deep'; ${known}`],
    ['a site that is not there', ['http://127.0.0.1:1/'], 'http://127.0.0.1:1/robots.txt: bad port'],
  ])('says in one line what is wrong with %s', async (_what, args, said) => {
    expect(await scrape(args)).toEqual({ code: 1, stdout: '', stderr: `scraper: ${said}\n` })
  })

  it('says when nobody listens', async () => {
    const server = await startLink(WebServer, { arg: { pages: () => new Map() } })
    const origin = await server.call.origin()
    await server.stop()
    expect(await scrape([origin])).toMatchObject({
      code: 1,
      stderr: `scraper: ${origin}/robots.txt: connection refused\n`,
    })
  })

  it('shows how it is used', async () => {
    const { code, stdout } = await scrape(['--help'])
    expect(code).toBe(0)
    expect(stdout).toContain('examples/scraper/main.ts [options] [url]')
    for (const { name } of STEPS) expect(stdout).toContain(name)
  })
})
