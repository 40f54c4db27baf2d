import PQueue from 'p-queue'

/**
 * A task per element, so many at a time, and as many that wait. With all of them added at once it is eight times slower, by
 * `addAll` as well.
 */
export async function pQueue(
  amount: number,
  concurrency: number,
  work: (element: number) => Promise<unknown>,
): Promise<number> {
  const queue = new PQueue({ concurrency })
  let done = 0
  const count = (): void => {
    done++
  }
  for (let element = 0; element < amount; element++) {
    if (queue.size >= concurrency) await queue.onSizeLessThan(1)
    void queue.add(() => work(element)).then(count)
  }
  await queue.onIdle()
  return done
}
