/** The flow of `airports-2-workers`: the open airports of the ten countries that have most. */
import { defineFlow, Flow, files } from 'sluice/flow'
import { COUNTRY, isClosed, parseRow } from '../peers/airports.ts'

/** The file is small, so its parts are smaller than they would be by themselves. */
const PARTS = 12

const country = (row: readonly string[]): string => row[COUNTRY]!

export const topAirports = defineFlow(import.meta, ({ path }: { readonly path: string }) =>
  Flow.from(files.lines(path, { splits: PARTS }))
    .map(parseRow)
    .reject(isClosed)
    .partition({ key: country })
    .countBy(country)
    .takeSort(10, ([, a], [, b]) => a >= b),
)
