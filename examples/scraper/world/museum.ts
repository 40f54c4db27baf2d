/**
 * A web site of this program: a museum with a page for each object. It is a site as sites are: some pages are slow, some are
 * gone, some answer with errors, and robots.txt asks to stay away from a part of it.
 */

import type { WebPage } from './web-server.ts'

const THINGS =
  'anchor barometer bell cannon chronometer compass figurehead lantern sextant telescope thimble whistle'.split(' ')
const KINDS = (
  'ash blue brass broken copper French golden heavy iron ivory ' +
  'large oak old painted plain rusty silver small stolen tin'
).split(' ')

/** What some of the objects are like on the server, by their number. */
const TROUBLES: Readonly<Record<number, Partial<WebPage> | 'gone'>> = {
  17: { delay: 650 },
  31: 'gone',
  58: { status: 500, body: '<title>Sorry</title>' },
  64: { brokenAnswers: 1 },
  77: { delay: 700 },
  93: 'gone',
  101: { brokenAnswers: 2 },
  120: { delay: 450 },
  139: { status: 503, body: '<title>Closed today</title>' },
  150: { brokenAnswers: Infinity },
  166: 'gone',
  171: { delay: Infinity },
  188: { status: 500, body: '<title>Sorry</title>' },
  202: { brokenAnswers: 1 },
  219: { delay: 600 },
  230: 'gone',
}
const ROBOTS = `User-agent: *
Disallow: /storage/
Disallow: /*?sort=
`

/** Milliseconds for any page. */
const DELAY = 15

export function museum(): ReadonlyMap<string, WebPage> {
  const pages = new Map<string, WebPage>()
  const add = (path: string, title: string, links: readonly string[], rest: Partial<WebPage> = {}) =>
    pages.set(path, { delay: DELAY, body: html(title, links), ...rest })
  const rooms = THINGS.map((thing) => `/rooms/${plural(thing)}`)
  const objects = THINGS.flatMap((thing) => KINDS.map((kind) => `/objects/${kind.toLowerCase()}-${thing}`))
  pages.set('/robots.txt', { type: 'text/plain', body: ROBOTS })
  add('/', 'Museum of Small Things', [
    ...rooms,
    '/visit',
    '/news',
    '/storage/',
    'https://example.org/partner',
    'mailto:hello@example.org',
  ])
  add('/visit', 'Visit us', ['/', '/map.svg', '/old-hours'])
  add('/news', 'News', ['/', ...objects.filter((_, index) => index % 40 === 5)])
  add('/storage/', 'Storage', ['/storage/secret'])
  pages.set('/map.svg', { type: 'image/svg+xml', body: '<svg xmlns="http://www.w3.org/2000/svg"/>' })
  pages.set('/old-hours', { status: 301, location: '/visit' })
  for (const [room, path] of rooms.entries()) {
    const inside = objects.slice(room * KINDS.length, (room + 1) * KINDS.length)
    add(path, `All our ${plural(THINGS[room] ?? '')}`, ['/', `${path}?sort=year`, ...inside, rooms[room + 1] ?? '/'])
  }
  for (const [number, path] of objects.entries()) {
    const room = Math.floor(number / KINDS.length)
    const trouble = TROUBLES[number]
    if (trouble === 'gone') continue
    const related = [objects[number + 1], objects[number - 1], objects[(number * 7) % objects.length]]
    const title = `The ${KINDS[number % KINDS.length]} ${THINGS[room]}`
    add(path, title, [rooms[room] ?? '/', '/storage/secret', ...related.filter((link) => link !== undefined)], trouble)
  }
  return pages
}

function plural(thing: string) {
  return /s$/.test(thing) ? `${thing}es` : `${thing}s`
}

function html(title: string, links: readonly string[]) {
  const items = links.map((link) => `<li><a href="${link}">${link}</a></li>`).join('\n')
  return `<!doctype html>\n<title>${title}</title>\n<h1>${title}</h1>\n<ul>\n${items}\n</ul>\n`
}
