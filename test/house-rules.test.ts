import { describe, expect, it } from 'vitest'
import { checkHouseRules } from './support/house-rules.ts'
import { readSourceTree } from './support/source-tree.ts'

const violationsIn = (path: string, text: string) => checkHouseRules(new Map([[path, text]]))
const padding = (lines: number) => '// a line\n'.repeat(lines)

describe('the sources', () => {
  const tree = readSourceTree('src')

  it('keep the house rules', () => {
    expect(checkHouseRules(tree)).toEqual([])
  })

  it('were really read', () => {
    expect(tree.size).toBeGreaterThan(0)
  })
})

describe('the house rules', () => {
  it.each([
    ['setTimeout(run, 1)', 'setTimeout'],
    ['const later = setInterval', 'setInterval'],
    [`import { setImmediate } from 'node:timers'`, 'setImmediate'],
    ['const clock = { queueMicrotask }', 'queueMicrotask'],
    ['globalThis.setTimeout(run)', 'globalThis.setTimeout'],
    ['const now = () => Date.now()', 'Date.now'],
    ['const start = performance.now()', 'performance.now'],
    ['const today = new Date()', 'new Date()'],
    ['process.nextTick(run)', 'process.nextTick'],
    ['AbortSignal.timeout(5)', 'AbortSignal.timeout'],
  ])('find another owner of time: %s', (text, name) => {
    expect(violationsIn('otp/bad.ts', `\n${text}`)).toContain(
      `src/otp/bad.ts:2 uses ${name}: time and scheduling go through the clock and the scheduler`,
    )
  })

  it.each([
    ['process/clock.ts', 'setTimeout(run, 1)'],
    ['process/scheduler-turn.ts', 'setImmediate(run)'],
    ['dashboard/client/page.ts', 'setTimeout(run, 1)'],
    ['otp/fine.ts', 'clock.setTimeout(run)'],
    ['otp/fine.ts', 'class Clock { setTimeout() {} }'],
    ['otp/fine.ts', 'type Timer = ReturnType<typeof setTimeout>'],
    ['otp/fine.ts', 'const day = new Date(0) // not Date.now()'],
  ])('leave alone: %s with %s', (path, text) => {
    expect(violationsIn(path, text)).toEqual([])
  })

  it('find a file that is too long', () => {
    expect(violationsIn('otp/long.ts', padding(600))).toEqual([])
    expect(violationsIn('otp/long.ts', padding(601))).toEqual([
      'src/otp/long.ts has 601 lines, more than 600: split it',
    ])
  })

  it('find more any than 2 in 1,000 lines', () => {
    const text = `const a: any = 1\n${padding(498)}const word = 'any' // any\n`
    expect(violationsIn('otp/any.ts', text)).toEqual([])
    expect(violationsIn('otp/any.ts', `${text}type B = Set<any>\n`)).toEqual([
      '`any` is used 2 times in 501 lines, more than 2 per 1,000: src/otp/any.ts:1, src/otp/any.ts:501',
    ])
  })

  it('find more casts than 4 in 1,000 lines', () => {
    const text = `import { a as b } from './a.ts'\nconst c = [b] as const\nconst d = b as string\n${padding(247)}`
    expect(violationsIn('otp/as.ts', text)).toEqual([])
    expect(violationsIn('otp/as.ts', `${text}const e = <string>b\n`)).toEqual([
      '`as` is used 2 times in 251 lines, more than 4 per 1,000: src/otp/as.ts:3, src/otp/as.ts:251',
    ])
  })
})
