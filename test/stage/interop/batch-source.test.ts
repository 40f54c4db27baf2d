import { BatchSource, fromIterable, stream } from 'sluice/stage'
import { describe, expect, it } from 'vitest'

/** Pages of a table; tells which were fetched, and when it is let go. */
class Pages extends BatchSource<number> {
  readonly log: string[] = []

  override async *batches() {
    try {
      for (let page = 0; page < 5; page++) {
        this.log.push(`fetch ${page}`)
        yield Array.from({ length: 10 }, (_, row) => page * 10 + row)
      }
    } finally {
      this.log.push('closed')
    }
  }
}

describe('a source of arrays', () => {
  it('is read page by page, as far as events are wanted and no further', async () => {
    const pages = new Pages()
    const producer = await fromIterable(pages)
    const seen: number[] = []
    for await (const row of stream({ to: producer, maxDemand: 4, minDemand: 0 })) {
      seen.push(row)
      if (row === 7) {
        expect(pages.log).toEqual(['fetch 0'])
        break
      }
    }
    expect(seen).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
    await producer.stop()
    expect(pages.log).toEqual(['fetch 0', 'closed'])
  })

  it('gives what another consumer left where the last one stopped', async () => {
    const producer = await fromIterable(new Pages())
    const seen: number[] = []
    for await (const row of stream({ to: producer, maxDemand: 15, minDemand: 0 })) if (seen.push(row) === 15) break
    for await (const row of stream({ to: producer, maxDemand: 7 })) seen.push(row)
    expect(seen).toEqual(Array.from({ length: 50 }, (_, row) => row))
  })

  it('gives its events one by one to a loop, and is let go when that is left', async () => {
    const pages = new Pages()
    for await (const row of pages) if (row === 12) break
    expect(pages.log).toEqual(['fetch 0', 'fetch 1', 'closed'])
    const all: number[] = []
    for await (const row of pages) all.push(row)
    expect(all).toHaveLength(50)
  })

  it('fails whoever reads it, after what came before', async () => {
    class Failing extends BatchSource<number> {
      override async *batches() {
        yield [1, 2]
        throw new Error('no more pages')
      }
    }
    const seen: number[] = []
    const reading = async () => {
      for await (const row of new Failing()) seen.push(row)
    }
    await expect(reading()).rejects.toThrow('no more pages')
    expect(seen).toEqual([1, 2])
  })
})
