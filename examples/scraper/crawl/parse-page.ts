/** What a page says: its title, and where it leads. */

import { load } from 'cheerio'

export interface Parsed {
  readonly title: string
  /** Pages of the same site, each once, without the part behind #. */
  readonly links: readonly string[]
}

export function parsePage(html: string, url: string): Parsed {
  const $ = load(html)
  const base = new URL($('base').attr('href') ?? '', url).href
  const hrefs = $('a[href]')
    .not('[rel~="nofollow"]')
    .toArray()
    .flatMap((link) => $(link).attr('href') ?? [])
  const links = new Set(hrefs.flatMap((href) => linkTo(href, base, url) ?? []))
  return { title: $('title').first().text().trim(), links: [...links] }
}

/** The address that a link leads to, if it is a page of the same site. */
export function linkTo(href: string, base: string, url: string): string | undefined {
  if (!URL.canParse(href, base)) return undefined
  const target = new URL(href, base)
  target.hash = ''
  return target.origin === new URL(url).origin ? target.href : undefined
}
