/** Generators chained by `for of` and `for await`, one generator for the source and one for the map. */
export function syncGenerators(amount: number): number {
  let count = 0
  for (const _ of mapped(numbers(amount))) count++
  return count
}

export async function asyncGenerators(amount: number): Promise<number> {
  let count = 0
  for await (const _ of mappedLater(numbersLater(amount))) count++
  return count
}

/** The same without a stage in the middle: the consumer maps. Half the hops of a pipeline of three. */
export async function asyncGeneratorFused(amount: number): Promise<number> {
  let count = 0
  for await (const value of numbersLater(amount)) count += value + 1 > 0 ? 1 : 0
  return count
}

function* numbers(amount: number): Generator<number> {
  for (let value = 0; value < amount; value++) yield value
}

function* mapped(source: Iterable<number>): Generator<number> {
  for (const value of source) yield value + 1
}

async function* numbersLater(amount: number): AsyncGenerator<number> {
  for (let value = 0; value < amount; value++) yield value
}

async function* mappedLater(source: AsyncIterable<number>): AsyncGenerator<number> {
  for await (const value of source) yield value + 1
}
