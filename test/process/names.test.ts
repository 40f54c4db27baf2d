import { GenServer, name, ProcessError, type Ref, StartError, start, whereis } from 'sluice'
import { simulate } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { processOf } from '../../src/process/ref.ts'
import { settlement } from '../support/settlement.ts'

class Room extends GenServer {
  hello() {
    return `${this}`
  }
}

/** Registers as the kernel does. */
function register(ref: Ref, id: string): void {
  const process = processOf(ref)
  process.runtime.register(name(Room, id), process)
}

describe('names', () => {
  it('S15 belong to one process; the error says to whom', async () => {
    await simulate().run(async () => {
      const first = await start(Room, { name: name(Room, 'a') })
      const second = await start(Room)
      expect(() => register(second, 'a')).toThrow(`the name Room(a) is taken by ${first}`)
      expect(() => register(second, 'a')).toThrow(expect.objectContaining({ name: 'ProcessError', code: 'name_taken' }))
    })
  })

  it('S15 one process bears one name, and the dead bear none', async () => {
    await simulate().run(async () => {
      const first = await start(Room, { name: name(Room, 'a') })
      expect(() => register(first, 'b')).toThrow(expect.objectContaining({ code: 'name_taken' }))
      expect(whereis(name(Room, 'b'))).toBeUndefined()
      const dead = await start(Room)
      dead.kill()
      expect(() => register(dead, 'c')).toThrow(ProcessError)
      expect(() => register(dead, 'c')).toThrow('has ended')
      expect(whereis(name(Room, 'c'))).toBeUndefined()
    })
  })

  it('S15 are free again when their bearer is dead', async () => {
    await simulate().run(async () => {
      const first = await start(Room, { name: Room })
      expect(whereis(Room)).toBe(first)
      first.kill()
      expect(whereis(Room)).toBeUndefined()
      const second = await start(Room, { name: Room })
      expect(whereis(Room)).toBe(second)
      await second.stop()
      expect(whereis(Room)).toBeUndefined()
    })
  })

  it('find their bearer anew at every use', async () => {
    await simulate().run(async () => {
      const room = name(Room, 'a')
      expect(name(Room, 'a')).toBe(room)
      const first = await start(Room, { name: room })
      expect(await room.call.hello()).toBe(`${first}`)
      await first.stop()
      const second = await start(Room, { name: room })
      expect(await room.call.hello()).toBe(`${second}`)
      expect(`${second}`).toMatch(/^Room\(a\)#\d+$/)
    })
  })

  it('are refused when they are neither a class nor made by name()', async () => {
    for (const bad of ['room', 7, { Room }, null]) {
      expect(() => whereis(bad as never)).toThrow(expect.objectContaining({ code: 'bad_name' }))
      expect(() => name(bad as never)).toThrow('expected a class or name(Class')
    }
    expect(() => name(Room, 7 as never)).toThrow(expect.objectContaining({ code: 'bad_name' }))
  })

  it('check the timeout of their calls as refs do', async () => {
    await simulate().run(async () => {
      const ref = await start(Room, { name: Room })
      for (const timeout of [-1, Number.NaN]) {
        expect(() => ref.with({ timeout })).toThrow(expect.objectContaining({ code: 'bad_argument' }))
        expect(() => name(Room).with({ timeout })).toThrow(expect.objectContaining({ code: 'bad_argument' }))
      }
    })
  })

  it('belong to one runtime each', async () => {
    await simulate().run(async () => {
      const outer = await start(Room, { name: Room })
      await simulate().run(async () => {
        expect(whereis(Room)).toBeUndefined()
        const inner = await start(Room, { name: Room })
        expect(whereis(Room)).toBe(inner)
      })
      expect(whereis(Room)).toBe(outer)
    })
    expect(whereis(Room)).toBeUndefined()
  })

  it('S15 a start with a taken name fails and leaves nothing behind', async () => {
    await simulate().run(async (sim) => {
      const first = await start(Room, { name: Room })
      const { error } = await settlement(start(Room, { name: Room }))
      expect(error).toBeInstanceOf(StartError)
      expect(error).toMatchObject({ code: 'already_started', ref: first })
      expect(sim.processes).toEqual([first])
    })
  })
})
