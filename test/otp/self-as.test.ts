import { GenServer, start } from 'sluice'
import { simulate } from 'sluice/testing'
import { expect, it } from 'vitest'

class Countdown extends GenServer {
  #steps: number[] = []
  begin(from: number): void {
    this.#steps.push(from)
    if (from > 0) this.selfAs(Countdown).cast.begin(from - 1)
  }
  steps(): readonly number[] {
    return this.#steps
  }
  wrong(): void {
    this.selfAs(Other)
  }
}
class Other extends GenServer {}

it('a process casts to itself as its own class, behind what already waits', async () => {
  await simulate().run(async (sim) => {
    const countdown = await start(Countdown)
    countdown.cast.begin(2)
    countdown.cast.begin(0)
    await sim.settle()
    expect(await countdown.call.steps()).toEqual([2, 0, 1, 0])
  })
})

it('selfAs refuses another class', async () => {
  await simulate().run(async () => {
    const countdown = await start(Countdown)
    await expect(countdown.call.wrong()).rejects.toMatchObject({ code: 'exit', cause: { code: 'bad_argument' } })
  })
})
