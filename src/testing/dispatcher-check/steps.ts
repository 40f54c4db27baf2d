/** What is done to a dispatcher, at random. */

/** `who` is one of the consumers that are there, counted round and round; where there is none, nothing happens. */
export type Step =
  | { readonly do: 'subscribe' | 'info' | 'rest' }
  | { readonly do: 'ask'; readonly who: number; readonly count: number }
  | { readonly do: 'cancel' | 'kill'; readonly who: number }
  | { readonly do: 'emit'; readonly count: number }

/** How often each is done. */
const WEIGHTS: readonly (readonly [weight: number, kind: Step['do']])[] = [
  [3, 'subscribe'],
  [8, 'ask'],
  [6, 'emit'],
  [1, 'cancel'],
  [1, 'kill'],
  [2, 'info'],
  [3, 'rest'],
]
const TOTAL = WEIGHTS.reduce((sum, [weight]) => sum + weight, 0)
const LARGEST_DEMAND = 9
const LARGEST_EMISSION = 14

export function randomSteps(random: () => number, longest: number): Step[] {
  const length = 1 + Math.floor(random() * longest)
  return Array.from({ length }, () => randomStep(random))
}

function randomStep(random: () => number): Step {
  let at = random() * TOTAL
  const kind = WEIGHTS.find(([weight]) => (at -= weight) < 0)?.[1] ?? 'rest'
  const who = Math.floor(random() * 64)
  if (kind === 'ask') return { do: kind, who, count: small(random, LARGEST_DEMAND) }
  if (kind === 'emit') return { do: kind, count: small(random, LARGEST_EMISSION) }
  return kind === 'cancel' || kind === 'kill' ? { do: kind, who } : { do: kind }
}

/** From 1 to `largest`; the smaller the likelier. */
function small(random: () => number, largest: number): number {
  return 1 + Math.floor(random() * random() * largest)
}

/**
 * The shortest list of steps that still fails in the same way, as far as leaving out steps and lowering counts leads: both are
 * tried until nothing more can go.
 */
export async function shortest<T>(
  steps: readonly Step[],
  failure: T,
  fails: (steps: readonly Step[]) => Promise<T | undefined>,
): Promise<T> {
  let best = { steps, failure }
  const attempt = async (steps: readonly Step[]): Promise<boolean> => {
    const failure = await fails(steps)
    if (failure !== undefined) best = { steps, failure }
    return failure !== undefined
  }
  for (let size = steps.length; size >= 1; size = Math.floor(size / 2)) await leaveOut(size)
  let before: readonly Step[]
  do {
    before = best.steps
    await leaveOut(1)
    await lowerCounts()
  } while (best.steps !== before)
  return best.failure

  async function leaveOut(size: number): Promise<void> {
    for (let end = best.steps.length; end > 0; end -= size) {
      const { steps } = best
      await attempt(steps.filter((_, index) => index < end - size || index >= end))
    }
  }

  async function lowerCounts(): Promise<void> {
    for (const index of best.steps.keys()) {
      for (let count = 1; count < countOf(best.steps[index]); count++) {
        const { steps } = best
        if (await attempt(steps.map((step, place) => (place === index && 'count' in step ? { ...step, count } : step))))
          break
      }
    }
  }
}

function countOf(step: Step | undefined): number {
  return step !== undefined && 'count' in step ? step.count : 0
}
