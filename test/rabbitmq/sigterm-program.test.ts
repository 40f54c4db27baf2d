import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { Broker, RABBITMQ, rabbitmqIsThere } from '../support/rabbitmq-server.ts'

const MESSAGES = 2000
const program = fileURLToPath(new URL('../support/programs/rabbitmq-worker.ts', import.meta.url))

/** Runs the worker on a queue, and sends it a signal when it has handled something. Gives what it has handled. */
function worked(queue: string, signal: NodeJS.Signals) {
  return new Promise<{ readonly code: number | null; readonly handled: readonly string[]; readonly stderr: string }>(
    (resolve, reject) => {
      const worker = spawn(process.execPath, ['--import', 'tsx', program, queue, RABBITMQ])
      let stdout = ''
      let stderr = ''
      worker.stdout.setEncoding('utf8').on('data', (text: string) => {
        if (stdout === '') worker.kill(signal)
        stdout += text
      })
      worker.stderr.setEncoding('utf8').on('data', (text: string) => {
        stderr += text
      })
      worker.on('error', reject)
      worker.on('close', (code) => resolve({ code, handled: stdout.match(/\d+/g) ?? [], stderr }))
    },
  )
}

describe.skipIf(!rabbitmqIsThere)('a program that consumes a queue', () => {
  it('B160 ends at SIGTERM with 0: what it has handled is acknowledged, once, and nothing else', async () => {
    await using broker = await Broker.connect()
    const queue = await broker.queue(MESSAGES)
    const { code, handled, stderr } = await worked(queue, 'SIGTERM')
    expect({ code, stderr: stderr.replaceAll(/^.*SIGTERM: .*\n|^.*has ended.*\n/gm, '') }).toEqual({
      code: 0,
      stderr: '',
    })
    expect(new Set(handled).size).toBe(handled.length)
    expect(handled.length).toBeGreaterThan(0)
    expect(handled.length).toBeLessThan(MESSAGES)
    // It has closed its connections, so all that is not acknowledged waits again.
    const left = (await broker.take(queue)).map(([text]) => text)
    expect([...handled, ...left].map(Number).toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: MESSAGES }, (_, n) => n),
    )
  })

  it('B160 loses nothing when it is killed: the server delivers again what was not acknowledged', async () => {
    await using broker = await Broker.connect()
    const queue = await broker.queue(MESSAGES)
    const { code, handled } = await worked(queue, 'SIGKILL')
    expect(code).toBe(null)
    const seen = new Set(handled)
    // The server notices in its own time.
    while (seen.size < MESSAGES) for (const [text] of await broker.take(queue)) seen.add(text)
    expect(seen.size).toBe(MESSAGES)
  })
})
