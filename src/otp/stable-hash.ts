/** A hash that depends on what a key says, not on which object it is: the same in every run and every thread. */

import { canonicalKey } from './canonical-key.ts'

const OFFSET = 0x811c9dc5
const PRIME = 0x01000193

/**
 * A 32-bit hash of a key: of a string its UTF-8 bytes, of a number its value, of anything else its `canonicalKey`. FNV-1a
 * over bytes, and over the two words of a number as a double; mixed at the end (the finalizer of MurmurHash3), so that any
 * number of partitions gets an even share.
 *
 * @throws `ProcessError` `bad_argument` for what is no key, such as a function or an instance of a class.
 */
export function stableHash(key: unknown): number {
  return hashWord(key) >>> 0
}

/**
 * Which of so many partitions a key belongs to, from 0: the remainder of its `stableHash`.
 *
 * @throws As `stableHash`.
 */
export function stablePartition(key: unknown, partitions: number): number {
  const hash = hashWord(key)
  // What is left of a division by a power of two are the low bits, and a division takes as long as the whole hash of a number.
  if ((partitions & (partitions - 1)) === 0) return hash & (partitions - 1)
  // Told to be words, both are divided as whole numbers, not as doubles.
  return (hash >>> 0) % (partitions >>> 0)
}

/** The hash as a word with a sign: a number that is made without an object. */
function hashWord(key: unknown): number {
  if (typeof key === 'string') return mixed(hashText(OFFSET, key))
  if (typeof key === 'number') return hashNumber(key)
  return mixed(hashText(PRIME, canonicalKey(key)))
}

/** The bytes of a text in UTF-8, without making them. */
function hashText(seed: number, text: string): number {
  let hash = seed
  for (let index = 0; index < text.length; index++) {
    let code = text.charCodeAt(index)
    if (code < 0x80) {
      hash = Math.imul(hash ^ code, PRIME)
      continue
    }
    if (code < 0x800) {
      hash = Math.imul(hash ^ (0xc0 | (code >> 6)), PRIME)
    } else {
      const point = text.codePointAt(index) ?? code
      if (point > 0xffff) {
        index++
        hash = Math.imul(hash ^ (0xf0 | (point >> 18)), PRIME)
        hash = Math.imul(hash ^ (0x80 | ((point >> 12) & 0x3f)), PRIME)
      } else {
        hash = Math.imul(hash ^ (0xe0 | (point >> 12)), PRIME)
      }
      hash = Math.imul(hash ^ (0x80 | ((point >> 6) & 0x3f)), PRIME)
      code = point
    }
    hash = Math.imul(hash ^ (0x80 | (code & 0x3f)), PRIME)
  }
  return hash
}

const double = new Float64Array(1)
const words = new Uint32Array(double.buffer)
/** Where the low word of a double lies on this machine. */
const LOW = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1 ? 0 : 1

function hashNumber(value: number): number {
  // The usual key is a small whole number; that of -0 is 0.
  const whole = value | 0
  if (whole === value) return mixed(whole ^ OFFSET)
  double[0] = value
  const low = Math.imul(OFFSET ^ (words[LOW] ?? 0), PRIME)
  return mixed(Math.imul(low ^ (words[1 - LOW] ?? 0), PRIME))
}

function mixed(hash: number): number {
  let result = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  result = Math.imul(result ^ (result >>> 13), 0xc2b2ae35)
  return result ^ (result >>> 16)
}
