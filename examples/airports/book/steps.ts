/** The nine steps, and what to look at in each. */

import type { Flow } from 'sluice/flow'
import type { Screen } from '../../command-line/screen.ts'
import type { Airport } from '../data/airport.ts'
import { eager } from './1-eager.ts'
import { streamed } from './2-streamed.ts'
import { oneParser } from './3-one-parser.ts'
import { parseInStages } from './4-parse-in-stages.ts'
import { noPartition } from './5-no-partition.ts'
import { partition } from './6-partition.ts'
import { groupBy } from './7-group-by.ts'
import { topTen } from './8-top-ten.ts'
import { snapshots } from './9-snapshots.ts'
import { lineParser } from './line-parser.ts'
import { counted, listed, manyAnswers, snapshotsAsTheyCome } from './show.ts'

export interface Settings {
  readonly path: string
  readonly stages: number
  /** Milliseconds for each batch of the slow stream. */
  readonly delay: number
}

export interface Step {
  readonly name: string
  readonly title: string
  /** What to look at. */
  readonly lesson: string
  /** Runs it; the lines of its result. */
  readonly run: (settings: Settings, screen: Screen) => Promise<readonly string[]>
}

/** Airports between two snapshots of a stage. */
const EVERY = 1000

/** The open airports, as step 4 gives them. */
async function openAirports({ path, stages }: Settings): Promise<Flow<Airport>> {
  return parseInStages(path, stages, await lineParser(path))
}

export const STEPS: readonly Step[] = [
  {
    name: '1',
    title: 'Eager: arrays',
    lesson: 'Everything is in memory several times over, and until the last row is read nothing comes out.',
    run: async ({ path }) => listed(() => eager(path)),
  },
  {
    name: '2',
    title: 'Streamed: one after another',
    lesson: 'The first airport is there at once, and only those in hand are in memory. All work is done by one loop.',
    run: async ({ path }) => listed(() => streamed(path)),
  },
  {
    name: '3',
    title: 'A flow whose producer parses',
    lesson: 'Several stages, and the work that costs most is before them: they wait for the one producer.',
    run: async ({ path, stages }) => listed(() => oneParser(path, stages)),
  },
  {
    name: '4',
    title: 'A flow whose stages parse',
    lesson:
      'The producer only reads lines. In one thread the stages take turns; what they wait for, they wait for at once.',
    run: async (settings) => listed(() => openAirports(settings)),
  },
  {
    name: '5',
    title: 'Counted without a partition',
    lesson: 'Wrong: a country has as many answers as there are stages that saw some of its airports.',
    run: async (settings) => manyAnswers(noPartition(await openAirports(settings))),
  },
  {
    name: '6',
    title: 'Partitioned by country',
    lesson: 'All airports of a country meet in the same stage: one answer for each.',
    run: async (settings) => counted(partition(await openAirports(settings), settings.stages)),
  },
  {
    name: '7',
    title: 'Grouped by country',
    lesson: 'The same from lists of airports. They are in memory until the end; a number is all that step 6 keeps.',
    run: async (settings) => counted(groupBy(await openAirports(settings), settings.stages)),
  },
  {
    name: '8',
    title: 'The top ten',
    lesson: 'Each stage hands on ten of its countries at most, instead of all of them.',
    run: async (settings) => {
      const top = (await topTen(await openAirports(settings), settings.stages).first()) ?? []
      return counted(top)
    },
  },
  {
    name: '9',
    title: 'Snapshots of a slow stream',
    lesson: 'What is counted so far can be seen while it goes on; the last snapshot is the answer of step 6.',
    run: async ({ path, stages, delay }, screen) =>
      snapshotsAsTheyCome(snapshots(path, { stages, every: EVERY, delay }), screen),
  },
]
