import { Readable, Transform, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

/** Object streams that call back at once; a high-water mark of 1000 is as fast as any. */
export async function nodeStreams(amount: number): Promise<number> {
  let next = 0
  let count = 0
  const source = new Readable({
    objectMode: true,
    highWaterMark: 1000,
    read() {
      while (next < amount) if (!this.push(next++)) return
      this.push(null)
    },
  })
  const mapped = new Transform({
    objectMode: true,
    highWaterMark: 1000,
    transform(value: number, _encoding, callback) {
      callback(null, value + 1)
    },
  })
  const counted = new Writable({
    objectMode: true,
    highWaterMark: 1000,
    write(_value, _encoding, callback) {
      count++
      callback()
    },
  })
  await pipeline(source, mapped, counted)
  return count
}
