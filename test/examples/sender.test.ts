/** The steps of the sender example, against a real mail server on this machine. */

import { createServer } from 'node:net'
import { name, startLink, TaskSupervisor } from 'sluice'
import { describe, expect, it } from 'vitest'
import type { Limits } from '../../examples/sender/mail.ts'
import { checkServer, smtp } from '../../examples/sender/smtp.ts'
import { sequential } from '../../examples/sender/steps/1-sequential.ts'
import { fireAndForget } from '../../examples/sender/steps/2-fire-and-forget.ts'
import { awaitMany } from '../../examples/sender/steps/3-await-many.ts'
import { stream } from '../../examples/sender/steps/4-stream.ts'
import { Mailers, supervised } from '../../examples/sender/steps/5-supervised.ts'
import { withPostOffice } from '../support/post-office.ts'

const [ADA, ALAN, GRACE, TONY] = [
  'ada@example.org',
  'alan@example.org',
  'grace@example.org',
  'tony@example.org',
] as const
const EVERYBODY = [ADA, ALAN, GRACE, TONY]
const LIMITS: Limits = { maxConcurrency: 2, timeout: 5_000 }
/** The error of nodemailer for what the server answered. */
const refused = expect.objectContaining({ message: expect.stringContaining('550 No such mailbox') })

describe('step 1', () => {
  it('sends one mail after the other', () =>
    withPostOffice({ hold: false }, async ({ post, send }) => {
      const receipts = await sequential(EVERYBODY, send)
      expect(receipts.map(({ address }) => address)).toEqual(EVERYBODY)
      expect(receipts[0]?.response).toMatch(/^250/)
      expect(post.to('accepted')).toEqual(EVERYBODY)
      expect(post.most).toBe(1)
    }))

  it('waits for the slow one before it tries the next, and stops at the first that fails', () =>
    withPostOffice({ hold: true }, async ({ post, send }) => {
      const sending = sequential(EVERYBODY, send)
      await post.happened('asked', ADA)
      post.release(ADA)
      await post.happened('asked', ALAN)
      expect(post.to('asked')).toEqual([ADA, ALAN])
      post.release(ALAN, 'refused')
      await expect(sending).rejects.toThrow(/550 No such mailbox/)
      await post.happened('closed', ALAN)
      expect(post.to('opened')).toHaveLength(2)
    }))
})

describe('step 2', () => {
  it('returns at once, and all mails are on their way at the same time', () =>
    withPostOffice({ hold: true }, async ({ post, send }) => {
      const tasks = fireAndForget(EVERYBODY, send)
      expect(post.events).toEqual([])
      await post.happened('asked', ...EVERYBODY)
      expect(post.most).toBe(4)
      for (const address of EVERYBODY) post.release(address)
      expect(await Promise.all(tasks.map(({ done }) => done))).toEqual(['normal', 'normal', 'normal', 'normal'])
      expect(new Set(post.to('accepted'))).toEqual(new Set(EVERYBODY))
    }))

  it('tells of a failure nobody but the log', () =>
    withPostOffice({ hold: true }, async ({ sim, post, send }) => {
      const [task] = fireAndForget([ADA], send)
      await post.happened('asked', ADA)
      post.release(ADA, 'refused')
      expect(await task?.done).toEqual(refused)
      expect(sim.logs.filter(({ level }) => level === 'error').map(({ message }) => message)).toEqual([
        expect.stringMatching(/crashed: Error: .*550 No such mailbox/),
      ])
    }))
})

describe('step 3', () => {
  it('sends all at once, and gives the receipts in the order of the addresses', () =>
    withPostOffice({ hold: true }, async ({ post, send }) => {
      const receipts = awaitMany(EVERYBODY, send, LIMITS)
      await post.happened('asked', ...EVERYBODY)
      for (const address of [TONY, ALAN, GRACE, ADA]) {
        post.release(address)
        await post.happened('accepted', address)
      }
      expect((await receipts).map(({ address }) => address)).toEqual(EVERYBODY)
      expect(post.most).toBe(4)
    }))

  it('fails with the first that fails, and the others go on', () =>
    withPostOffice({ hold: true }, async ({ post, send }) => {
      const receipts = awaitMany([ADA, ALAN], send, LIMITS)
      const failure = expect(receipts).rejects.toMatchObject({ name: 'TaskError', code: 'exit', cause: refused })
      await post.happened('asked', ADA, ALAN)
      post.release(ALAN, 'refused')
      await failure
      post.release(ADA)
      await post.happened('accepted', ADA)
    }))

  it('waits no longer than it has time, and the late ones go on', () =>
    withPostOffice({ hold: true }, async ({ sim, post, send }) => {
      const failure = expect(awaitMany([ADA], send, { timeout: 400 })).rejects.toMatchObject({ code: 'timeout' })
      await post.happened('asked', ADA)
      await sim.advance(400, { foreign: true })
      await failure
      post.release(ADA)
      await post.happened('accepted', ADA)
    }))
})

describe('step 4', () => {
  it('has no more mails on their way than it may, and gives the outcomes as they come', () =>
    withPostOffice({ hold: true }, async ({ post, send }) => {
      const campaign = stream(EVERYBODY, send, LIMITS)
      await post.happened('asked', ADA, ALAN)
      for (const [address, next] of [
        [ALAN, GRACE],
        [GRACE, TONY],
      ] as const) {
        post.release(address)
        await post.happened('asked', next)
      }
      post.release(TONY)
      await post.happened('closed', TONY)
      post.release(ADA)
      const outcomes = await campaign.await()
      expect(outcomes.map((outcome) => outcome.ok && outcome.value.address)).toEqual([ALAN, GRACE, TONY, ADA])
      expect(post.most).toBe(2)
    }))

  it('cuts off who is late, and closes the connection', () =>
    withPostOffice({ hold: true }, async ({ sim, post, send }) => {
      const campaign = stream([ADA, ALAN], send, LIMITS)
      await post.happened('asked', ADA, ALAN)
      post.release(ALAN)
      await post.happened('closed', ALAN)
      await sim.advance(4_999, { foreign: true })
      expect(post.to('closed')).toEqual([ALAN])
      await sim.advance(1, { foreign: true })
      expect(await campaign.await()).toEqual([
        expect.objectContaining({ ok: true }),
        { ok: false, exit: 'timeout', input: ADA },
      ])
      await post.happened('closed', ADA)
      expect(post.to('accepted')).toEqual([ALAN])
    }))

  it('ends with the first mail that fails, and takes those with it that are on their way', () =>
    withPostOffice({ hold: true }, async ({ post, send }) => {
      const campaign = stream(EVERYBODY, send, LIMITS)
      const failure = expect(campaign.await()).rejects.toMatchObject({
        name: 'TaskError',
        code: 'exit',
        cause: refused,
      })
      await post.happened('asked', ADA, ALAN)
      post.release(ALAN, 'refused')
      await failure
      await post.happened('closed', ADA)
      expect(post.to('opened')).toHaveLength(2)
      expect(post.to('accepted')).toEqual([])
    }))

  it('ends when somebody kills it, and so do its mails', () =>
    withPostOffice({ hold: true }, async ({ post, send }) => {
      const campaign = stream(EVERYBODY, send, LIMITS)
      const failure = expect(campaign.await()).rejects.toMatchObject({ code: 'exit', reason: 'killed' })
      await post.happened('asked', ADA, ALAN)
      campaign.ref?.kill()
      await failure
      await post.happened('closed', ADA, ALAN)
      expect(post.to('opened')).toHaveLength(2)
    }))

  it('ends with what the source of the addresses throws, and closes what is open', () =>
    withPostOffice({ hold: true }, async ({ post, send }) => {
      async function* addresses() {
        yield ADA
        await post.happened('asked', ADA)
        throw new Error('the list ends in the middle')
      }
      const campaign = stream(addresses(), send, LIMITS)
      await expect(campaign.await()).rejects.toMatchObject({
        code: 'exit',
        cause: expect.objectContaining({ message: 'the list ends in the middle' }),
      })
      await post.happened('closed', ADA)
    }))

  it('says what is wrong with its limits', () =>
    withPostOffice({ hold: true }, async ({ post, send }) => {
      const campaign = stream(EVERYBODY, send, { maxConcurrency: 0, timeout: 5_000 })
      await expect(campaign.await()).rejects.toThrow(/maxConcurrency of asyncStream: expected an integer >= 1, got 0/)
      expect(post.events).toEqual([])
    }))
})

describe('step 5', () => {
  it('tries everybody, and knows of each', () =>
    withPostOffice({ hold: true }, async ({ sim, post, send }) => {
      await startLink(Mailers, { name: Mailers })
      const campaign = supervised(EVERYBODY, send, LIMITS)
      await post.happened('asked', ADA, ALAN)
      expect(await name(Mailers).call.children()).toHaveLength(2)
      post.release(ALAN, 'refused')
      await post.happened('asked', GRACE)
      post.release(GRACE, 'hung up')
      await post.happened('asked', TONY)
      post.release(TONY)
      await post.happened('closed', TONY)
      await sim.advance(5_000, { foreign: true })
      expect(await campaign.await()).toEqual([
        { ok: false, exit: refused, input: ALAN },
        { ok: false, exit: expect.objectContaining({ message: expect.stringContaining('421') }), input: GRACE },
        { ok: true, value: expect.objectContaining({ address: TONY }) },
        { ok: false, exit: 'timeout', input: ADA },
      ])
      await post.happened('closed', ADA)
      expect(post.most).toBe(2)
    }))

  it('finishes the mails that are on their way when the supervisor stops with drain', () =>
    withPostOffice({ hold: true }, async ({ post, send }) => {
      const mailers = await startLink(Mailers, { name: Mailers })
      const campaign = supervised([ADA, ALAN], send, LIMITS)
      await post.happened('asked', ADA, ALAN)
      const stopped = mailers.stop({ drain: true })
      post.release(ADA)
      post.release(ALAN)
      await stopped
      expect((await campaign.await()).every(({ ok }) => ok)).toBe(true)
    }))

  it('ends when it can send no more because the supervisor stops', () =>
    withPostOffice({ hold: true }, async ({ post, send }) => {
      const mailers = await startLink(Mailers, { name: Mailers })
      const failure = expect(supervised(EVERYBODY, send, LIMITS).await()).rejects.toThrow(
        /the task supervisor .*Mailers.* is stopping/,
      )
      await post.happened('asked', ADA, ALAN)
      const stopped = mailers.stop({ drain: true })
      post.release(ALAN)
      await failure
      await post.happened('closed', ADA, ALAN)
      await stopped
      expect(post.to('opened')).toHaveLength(2)
    }))

  it('closes the connections of all mails when the supervisor stops', () =>
    withPostOffice({ hold: true }, async ({ post, send }) => {
      const mailers = await startLink(Mailers, { name: Mailers })
      const campaign = supervised([ADA, ALAN], send, LIMITS)
      await post.happened('asked', ADA, ALAN)
      await mailers.stop()
      await post.happened('closed', ADA, ALAN)
      expect(await campaign.await()).toEqual([
        { ok: false, exit: 'shutdown', input: ADA },
        { ok: false, exit: 'shutdown', input: ALAN },
      ])
    }))

  it('ends its mails when somebody kills it, though they are not linked', () =>
    withPostOffice({ hold: true }, async ({ post, send }) => {
      const mailers = await startLink(Mailers, { name: Mailers })
      const campaign = supervised([ADA, ALAN], send, LIMITS)
      const failure = expect(campaign.await()).rejects.toMatchObject({ reason: 'killed' })
      await post.happened('asked', ADA, ALAN)
      campaign.ref?.kill()
      await failure
      await post.happened('closed', ADA, ALAN)
      expect(await mailers.call.children()).toEqual([])
    }))

  it('says so when there is no supervisor', () =>
    withPostOffice({ hold: true }, async ({ post, send }) => {
      await expect(supervised(EVERYBODY, send, LIMITS).await()).rejects.toThrow(
        /the task supervisor Mailers does not run/,
      )
      expect(post.events).toEqual([])
    }))

  it('is asyncStreamNolink for the program', () =>
    withPostOffice({ hold: true }, async ({ post, send }) => {
      await startLink(Mailers, { name: Mailers })
      const mail = (address: string, { signal }: { readonly signal: AbortSignal }) => send(address, signal)
      const outcomes: unknown[] = []
      const reading = (async () => {
        const mails = TaskSupervisor.asyncStreamNolink(Mailers, [ADA, ALAN, GRACE], mail, { maxConcurrency: 2 })
        for await (const { ok } of mails) outcomes.push(ok)
      })()
      await post.happened('asked', ADA, ALAN)
      post.release(ADA, 'refused')
      await post.happened('asked', GRACE)
      post.release(ALAN)
      post.release(GRACE)
      await reading
      expect(outcomes).toEqual([false, true, true])
      expect(post.most).toBe(2)
    }))
})

describe('a mail server that is not there', () => {
  /** A place on this machine where nobody listens any more. */
  async function nowhere(): Promise<string> {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    await new Promise((resolve) => server.close(resolve))
    if (address === null || typeof address === 'string') throw new Error('no port')
    return `smtp://127.0.0.1:${address.port}`
  }

  it('fails the mail', async () => {
    const send = smtp({ url: await nowhere(), from: 'sluice@example.org' })
    await expect(send(ADA)).rejects.toThrow(/ECONNREFUSED/)
  })

  it('is noticed before anything is sent', async () => {
    await expect(checkServer(await nowhere())).rejects.toThrow(
      /^smtp:\/\/127\.0\.0\.1:\d+ does not answer \(.*ECONNREFUSED.*\); expected a mail server that takes mails from here$/,
    )
  })

  it('is one that turns us away', () =>
    withPostOffice({ hold: false }, async ({ url }) => {
      await expect(checkServer(url)).resolves.toBeUndefined()
      await expect(checkServer(url.replace('smtp:', 'smtps:'))).rejects.toThrow(/does not answer/)
    }))
})
