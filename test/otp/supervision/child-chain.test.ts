import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ChainedChild, ChildChain } from '../../../src/otp/supervision/child-chain.ts'
import { Process } from '../../../src/process/process.ts'
import { currentRuntime } from '../../../src/process/runtime.ts'

interface Terms {
  readonly label: string
  readonly restart: 'temporary'
  readonly shutdown: number
  readonly type: 'worker'
}

const terms = (label: string): Terms => ({ label, restart: 'temporary', shutdown: 0, type: 'worker' })
const processOf = (parent: Process | undefined, label = 'child') => new Process(currentRuntime(), parent, label)
const labels = (chain: ChildChain<Terms>) => chain.list().map(({ spec }) => spec.label)

describe('the chain of the children', () => {
  it('keeps their order and finds them, whoever goes and comes back', () => {
    const step = fc.record({ what: fc.constantFrom('append', 'remove', 'move'), who: fc.nat(50) })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const supervisor = processOf(undefined, 'supervisor')
        const chain = new ChildChain<Terms>(supervisor)
        // What it has to do, done by an array.
        const expected: (readonly [ChainedChild<Terms>, Process])[] = []
        for (const [index, { what, who }] of steps.entries()) {
          const place = expected.length === 0 ? -1 : who % expected.length
          const [child, before] = expected[place] ?? []
          if (what === 'append' || child === undefined || before === undefined) {
            const entry = [new ChainedChild(terms(`${index}`)), processOf(supervisor)] as const
            chain.append(...entry)
            expected.push(entry)
            continue
          }
          chain.remove(child)
          expected.splice(place, 1)
          expect(chain.find(before)).toBeUndefined()
          if (what === 'remove') continue
          const entry = [child, processOf(supervisor)] as const
          chain.append(...entry)
          expected.push(entry)
        }
        expect(labels(chain)).toEqual(expected.map(([{ spec }]) => spec.label))
        expect(chain.size).toBe(expected.length)
        for (const [child, process] of expected) expect(chain.find(process) === child).toBe(true)
      }),
    )
  })

  it('removes nobody twice', () => {
    const supervisor = processOf(undefined, 'supervisor')
    const chain = new ChildChain<Terms>(supervisor)
    const [first, second] = [new ChainedChild(terms('first')), new ChainedChild(terms('second'))]
    chain.append(first, processOf(supervisor))
    chain.append(second, processOf(supervisor))
    chain.remove(first)
    chain.remove(first)
    expect(labels(chain)).toEqual(['second'])
    expect(chain.size).toBe(1)
  })

  it('does not find the children of another supervisor', () => {
    const [ours, theirs] = [processOf(undefined), processOf(undefined)]
    const child = processOf(theirs)
    new ChildChain<Terms>(theirs).append(new ChainedChild(terms('child')), child)
    expect(new ChildChain<Terms>(ours).find(child)).toBeUndefined()
  })
})
