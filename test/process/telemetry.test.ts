import type { Node } from 'oxc-parser'
import { child, GenServer, start, supervise, whereis } from 'sluice'
import { channels, type TypedChannel } from 'sluice/telemetry'
import { simulate } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { settlement } from '../support/settlement.ts'
import { position, readSourceTree, type SourceTree, visitNodes } from '../support/source-tree.ts'

class Worker extends GenServer {
  crash(_why: string) {
    throw new Error('boom')
  }
}

/** Runs a simulation and returns what a channel told meanwhile. */
async function listen<T>(channel: TypedChannel<T>, run: Parameters<ReturnType<typeof simulate>['run']>[0]) {
  const heard: T[] = []
  const listener = (message: T): void => {
    heard.push(message)
  }
  channel.subscribe(listener)
  try {
    await simulate({ seed: 1 }).run(run)
  } finally {
    channel.unsubscribe(listener)
  }
  return heard
}

describe('telemetry', () => {
  it('tells of starts', async () => {
    let ids: readonly number[] = []
    const heard = await listen(channels.processStart, async () => {
      const alone = await start(Worker)
      const supervisor = await supervise({ strategy: 'one_for_one', children: [child(Worker, { name: Worker })] })
      ids = [alone.id, whereis(Worker)?.id ?? 0, supervisor.id]
      await supervisor.stop()
    })
    expect(heard).toEqual([
      { id: ids[0], process: 'Worker', parent: undefined },
      { id: ids[1], process: 'Worker', parent: 'Supervisor' },
      { id: ids[2], process: 'Supervisor', parent: 'main' },
    ])
  })

  it('tells of ends, each once', async () => {
    let id = 0
    const heard = await listen(channels.processExit, async () => {
      const worker = await start(Worker)
      id = worker.id
      await worker.stop({ reason: { shutdown: 'moved' } })
      worker.kill()
    })
    expect(heard).toEqual([{ id, process: 'Worker', reason: { shutdown: 'moved' } }])
  })

  it('tells of crashes, not of orderly ends or kills', async () => {
    let id = 0
    const heard = await listen(channels.processCrash, async () => {
      await (await start(Worker)).stop()
      ;(await start(Worker)).kill()
      const worker = await start(Worker)
      id = worker.id
      await settlement(worker.call.crash('a'))
    })
    expect(heard).toEqual([
      {
        id,
        process: 'Worker',
        reason: expect.objectContaining({ message: 'boom' }),
        lastMessage: "crash('a')",
        restarts: 0,
      },
    ])
  })

  it('tells of restarts', async () => {
    let name = ''
    const heard = await listen(channels.supervisorRestart, async (sim) => {
      const supervisor = await supervise({
        strategy: 'one_for_one',
        children: [child(Worker, { name: Worker, id: 'worker_1' })],
      })
      name = String(supervisor)
      for (const why of ['first', 'second']) {
        whereis(Worker)?.cast.crash(why)
        await sim.settle()
      }
      await supervisor.stop()
    })
    const restart = { supervisor: name, child: 'worker_1', reason: expect.objectContaining({ message: 'boom' }) }
    expect(heard).toEqual([
      { ...restart, restarts: 1 },
      { ...restart, restarts: 2 },
    ])
  })

  it('has a channel of its own name for each event', () => {
    const names = Object.values(channels).map((channel: { readonly name: string }) => channel.name)
    expect(new Set(names).size).toBe(names.length)
    for (const name of names) expect(name).toMatch(/^sluice:[a-z]+:[a-z_]+$/)
  })

  it('builds nothing without a subscriber: every publish asks first', () => {
    const tree = readSourceTree('src')
    expect(unaskedPublishes(tree)).toEqual([])
    expect(publishes(tree)).toBeGreaterThan(3)
  })

  it('notices a publish that does not ask', () => {
    const plant = (text: string) => unaskedPublishes(new Map([['otp/bad.ts', text]]))
    expect(plant('channels.processExit.publish({ id: 1 })')).toEqual(['src/otp/bad.ts:1'])
    expect(plant('if (channels.processStart.hasSubscribers) channels.processExit.publish({ id: 1 })')).toHaveLength(1)
    expect(plant('if (channels.processExit.hasSubscribers) {\n channels.processExit.publish({ id: 1 })\n}')).toEqual([])
  })
})

/** `channels.name`, when a node is that. */
function channelOf(node: Node): string | undefined {
  if (node.type !== 'MemberExpression' || node.property.type !== 'Identifier') return undefined
  return node.object.type === 'Identifier' && node.object.name === 'channels' ? node.property.name : undefined
}

/** The channel on which a node publishes. */
function published(node: Node): string | undefined {
  if (node.type !== 'CallExpression' || node.callee.type !== 'MemberExpression') return undefined
  const { object, property } = node.callee
  return property.type === 'Identifier' && property.name === 'publish' ? channelOf(object) : undefined
}

/** Where something is published outside of an `if (channels.it.hasSubscribers)`. */
function unaskedPublishes(tree: SourceTree): readonly string[] {
  const unasked: string[] = []
  for (const [path, text] of tree) {
    const asked: { readonly channel: string; readonly from: number; readonly to: number }[] = []
    visitNodes(path, text, (node) => {
      if (node.type === 'IfStatement' && node.test.type === 'MemberExpression') {
        const { object, property } = node.test
        const channel = channelOf(object)
        const asks = property.type === 'Identifier' && property.name === 'hasSubscribers'
        if (asks && channel !== undefined) asked.push({ channel, from: node.start, to: node.end })
      }
      const channel = published(node)
      if (channel === undefined) return
      const guarded = asked.some((each) => each.channel === channel && each.from < node.start && node.end <= each.to)
      if (!guarded) unasked.push(position(path, text, node.start))
    })
  }
  return unasked
}

function publishes(tree: SourceTree): number {
  let count = 0
  for (const [path, text] of tree) {
    visitNodes(path, text, (node) => {
      if (published(node) !== undefined) count++
    })
  }
  return count
}
