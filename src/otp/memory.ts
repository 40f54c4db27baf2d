/** Binary data in arguments: it cannot be frozen, so it is copied, for each start anew. What is shared on purpose stays shared. */

type Bytes = ArrayBuffer | ArrayBufferView<ArrayBuffer>

/** A buffer, a typed array, a `Buffer`, a `DataView`: of the language or Node, not of a class of its own. */
export function isMemory(value: object): value is Bytes {
  if (value instanceof ArrayBuffer) return true
  if (!ArrayBuffer.isView(value) || !(value.buffer instanceof ArrayBuffer)) return false
  const type = value.constructor
  return Reflect.get(globalThis, type.name) === type
}

/** Memory that threads share, or a view of it: to share it is what it is for. */
export function isSharedMemory(value: object): boolean {
  return (ArrayBuffer.isView(value) ? value.buffer : value) instanceof SharedArrayBuffer
}

/** The same bytes elsewhere; of a view as much as it shows. */
export function copyMemory(value: Bytes): unknown {
  if (value instanceof ArrayBuffer) return value.slice(0)
  const bytes = value.buffer.slice(value.byteOffset, value.byteOffset + value.byteLength)
  return value instanceof Buffer ? Buffer.from(bytes) : Reflect.construct(value.constructor, [bytes])
}
