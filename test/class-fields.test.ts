import { execFileSync } from 'node:child_process'
import { expect, it } from 'vitest'
import { definedFields } from './support/class-fields.ts'

// Tests and examples must run the code that users get: assigned fields are several times faster in hot classes.
it('the test runner assigns class fields, as the build does', () => {
  expect(definedFields).toEqual([])
})

it('so does the runner of the examples', () => {
  const script = `import('./test/support/class-fields.ts').then((it) => console.log(it.definedFields.length))`
  expect(execFileSync(process.execPath, ['--import', 'tsx', '-e', script], { encoding: 'utf8' })).toBe('0\n')
})
