import { Flow, files } from 'sluice/flow'
import { expectValue } from './support.ts'

// Lines are texts, whatever they are read from.
expectValue<Flow<string>>()(Flow.from(files.lines('a.txt')))
const [first] = await files.ranges('a.txt')
if (first !== undefined) expectValue<Flow<string>>()(Flow.fromAll([files.lines(first)]))

// A row of CSV has the columns that were asked for or named, and otherwise any.
expectValue<Flow<Record<'name' | 'country', string>>>()(
  Flow.from(files.csv('a.csv', { columns: ['name', 'country'], delimiter: ';' })),
)
expectValue<Flow<Record<'a' | 'b', string>>>()(Flow.from(files.csv('a.csv', { header: ['a', 'b'] })))
expectValue<Flow<readonly string[]>>()(Flow.from(files.csv('a.csv', { header: false })))
expectValue<Flow<Record<string, string>>>()(Flow.from(files.csv('a.csv')))

// Or the caller says so.
interface Row {
  readonly name: string
}
expectValue<Flow<Row>>()(Flow.from(files.csv<Row>('a.csv', { onBadRow: 'skip' })))
// @ts-expect-error: fields are texts
files.csv<{ readonly age: number }>('a.csv')

// What is in JSON nobody knows, unless the caller says so.
expectValue<Flow<unknown>>()(Flow.from(files.jsonLines('a.jsonl')))
expectValue<Flow<Row>>()(Flow.from(files.jsonLines<Row>('a.jsonl')))
