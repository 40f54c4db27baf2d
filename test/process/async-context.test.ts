import { AsyncLocalStorage } from 'node:async_hooks'
import { GenServer, type Ref, start } from 'sluice'
import { afterAll, expect, it } from 'vitest'

// These run on the runtime of the thread: a simulation is itself known by an AsyncLocalStorage.

const storage = new AsyncLocalStorage<string>()
const started: Ref[] = []
const seen: (readonly [string, string | undefined])[] = []

function note(where: string): void {
  seen.push([where, storage.getStore()])
}

class Observer extends GenServer {
  constructor() {
    super()
    note('constructor')
    this.continue('warm')
  }
  override async init() {
    note('init')
    await Promise.resolve()
    note('init after await')
  }
  override handleContinue() {
    note('handleContinue')
  }
  look() {
    note('look')
  }
  async lookLater() {
    note('lookLater')
    await Promise.resolve()
    note('lookLater after await')
  }
  override handleInfo() {
    note('handleInfo')
  }
}

async function startUnder(store: string): Promise<Ref<Observer>> {
  const ref = await storage.run(store, () => start(Observer))
  started.push(ref)
  return ref
}

afterAll(async () => {
  for (const ref of started) await ref.stop()
})

it('a process never runs under the store of who calls it', async () => {
  const ref = await storage.run('caller of start', () => start(Observer))
  started.push(ref)
  await ref.call.look()
  seen.splice(0)
  await storage.run('caller', async () => {
    await ref.call.look()
    await ref.call.lookLater()
    ref.cast.look()
    ref.send('hello')
    await ref.call.look()
  })
  expect(seen.map(([, store]) => store)).toEqual(seen.map(() => undefined))
  expect(seen.map(([where]) => where)).toEqual([
    'look',
    'lookLater',
    'lookLater after await',
    'look',
    'handleInfo',
    'look',
  ])
})

it('nor does its constructor, its init and what follows run under the store of who starts it', async () => {
  seen.splice(0)
  const ref = await startUnder('starter')
  await ref.call.look()
  expect(seen).toEqual([
    ['constructor', undefined],
    ['init', undefined],
    ['init after await', undefined],
    ['handleContinue', undefined],
    ['look', undefined],
  ])
})

it('nor do others that run when a start goes on', async () => {
  let ready = (): void => {}
  class Slow extends GenServer {
    override init() {
      return new Promise<void>((resolve) => {
        ready = resolve
      })
    }
  }
  const other = await startUnder('starter')
  await other.call.look()
  seen.splice(0)
  const second = storage.run('starter of another', () => start(Slow))
  ready()
  other.cast.look()
  started.push(await second)
  expect(seen).toEqual([['look', undefined]])
})

it('the caller keeps its own store', async () => {
  const ref = await startUnder('starter')
  await storage.run('caller', async () => {
    await ref.call.look()
    expect(storage.getStore()).toBe('caller')
  })
})
