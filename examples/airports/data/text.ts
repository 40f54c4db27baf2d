/** Bytes as text that ends with a line, so that a parser never sees half of a line break or of a character. */

import { InputError } from '../../command-line/input-error.ts'

/** @throws `InputError` when the bytes are no text. */
export async function* wholeLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let bytes = 0
  let rest = ''
  for await (const chunk of chunks) {
    const nul = chunk.indexOf(0)
    if (nul >= 0) throw new InputError(`byte ${bytes + nul} is NUL, so this is a binary file; expected CSV text`)
    const text = decode(decoder, chunk, bytes)
    bytes += chunk.length
    const end = text.lastIndexOf('\n') + 1
    if (end > 0) {
      yield rest + text.slice(0, end)
      rest = text.slice(end)
    } else rest += text
  }
  rest += decode(decoder, undefined, bytes)
  if (rest !== '') yield rest
}

function decode(decoder: InstanceType<typeof TextDecoder>, chunk: Uint8Array | undefined, bytes: number): string {
  try {
    return decoder.decode(chunk, { stream: chunk !== undefined })
  } catch (error) {
    throw new InputError(`bytes ${bytes} to ${bytes + (chunk?.length ?? 0)} are no UTF-8; expected CSV text in UTF-8`, {
      cause: error,
    })
  }
}
