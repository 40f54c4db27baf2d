import { describe, expect, it } from 'vitest'
import { checkLayers } from './support/layers.ts'
import { readSourceTree } from './support/source-tree.ts'

/** A small tree that keeps every rule. Each test below breaks one of them. */
const sound = {
  'index.ts': `export * from './stage/index.ts'`,
  'telemetry/index.ts': 'export const emit = 1',
  'process/index.ts': `import { emit } from '../telemetry/index.ts'\nexport const kernel = emit`,
  'otp/index.ts': `import { once } from 'node:events'\nexport { kernel } from '../process/index.ts'\nexport { once }`,
  'stage/index.ts': `export { kernel as stage } from '../otp/index.ts'`,
  'flow/index.ts': `export { stage as flow } from '../stage/index.ts'`,
  'broadway/index.ts': `export { stage as broadway } from '../stage/index.ts'`,
  'kafka/index.ts': `import 'kafka-client'\nexport { broadway as kafka } from '../broadway/index.ts'`,
  'testing/index.ts': `export { kafka as probe } from '../kafka/index.ts'`,
}

function violationsWith(planted: Record<string, string>): readonly string[] {
  return checkLayers(new Map(Object.entries({ ...sound, ...planted }))).violations
}

describe('the sources', () => {
  const report = checkLayers(readSourceTree('src'))

  it('keep their layers', () => {
    expect(report.violations).toEqual([])
  })

  it('were really read', () => {
    expect(report.modules).toBeGreaterThan(0)
    expect(report.edges).toBeGreaterThan(0)
  })
})

describe('the layer check', () => {
  it('accepts a sound tree and counts what it saw', () => {
    expect(checkLayers(new Map(Object.entries(sound)))).toEqual({ modules: 9, edges: 8, violations: [] })
  })

  it.each([
    {
      rule: 'a layer imports only those below it',
      planted: { 'process/bad.ts': `import { kernel } from '../otp/index.ts'\nexport { kernel }` },
      sentence: 'src/process/bad.ts:1 imports src/otp/index.ts: process may import only process, telemetry',
    },
    {
      rule: 'flow and broadway do not know each other',
      planted: { 'flow/bad.ts': `\nexport * from '../broadway/index.ts'` },
      sentence:
        'src/flow/bad.ts:2 imports src/broadway/index.ts: flow may import only flow, process, otp, stage, worker, telemetry',
    },
    {
      rule: 'a connector does not know another',
      planted: { 'redis/index.ts': `export * from '../kafka/index.ts'` },
      sentence:
        'src/redis/index.ts:1 imports src/kafka/index.ts: redis may import only redis, process, otp, stage, worker, flow, broadway, connector, telemetry',
    },
    {
      rule: 'telemetry imports no other layer',
      planted: { 'telemetry/bad.ts': `import '../process/index.ts'` },
      sentence: 'src/telemetry/bad.ts:1 imports src/process/index.ts: telemetry may import only telemetry',
    },
    {
      rule: 'nothing imports testing',
      planted: { 'stage/bad.ts': `import '../testing/index.ts'` },
      sentence: 'src/stage/bad.ts:1 imports src/testing/index.ts: nothing in src may import testing',
    },
    {
      rule: 'the main entry does not import testing',
      planted: { 'index.ts': `export * from './testing/index.ts'` },
      sentence: 'src/index.ts:1 imports src/testing/index.ts: nothing in src may import testing',
    },
    {
      rule: 'nothing imports the main entry',
      planted: { 'process/bad.ts': `import type { stage } from '../index.ts'\nexport type Bad = typeof stage` },
      sentence:
        'src/process/bad.ts:1 imports src/index.ts: the main entry is for users; import the file that defines the name',
    },
    {
      rule: 'a type is an import as well',
      planted: { 'process/bad.ts': `import type { kernel } from '../otp/index.ts'\nexport type Bad = typeof kernel` },
      sentence: 'src/process/bad.ts:1 imports src/otp/index.ts: process may import only process, telemetry',
    },
    {
      rule: 'so is a type named in place',
      planted: { 'process/bad.ts': `export type Bad = typeof import('../otp/index.ts')` },
      sentence: 'src/process/bad.ts:1 imports src/otp/index.ts: process may import only process, telemetry',
    },
    {
      rule: 'so is a dynamic import',
      planted: { 'process/bad.ts': `export const bad = () => {\n  return import('../otp/index.ts')\n}` },
      sentence: 'src/process/bad.ts:2 imports src/otp/index.ts: process may import only process, telemetry',
    },
    {
      rule: 'the core imports no package',
      planted: { 'otp/bad.ts': `import 'pino'` },
      sentence: "src/otp/bad.ts:1 imports 'pino': otp is a core layer, which imports no package, only node: builtins",
    },
    {
      rule: 'sources do not import the package by its name',
      planted: { 'broadway/bad.ts': `import 'sluice/flow'` },
      sentence: "src/broadway/bad.ts:1 imports 'sluice/flow': sources import each other by relative path",
    },
    {
      rule: 'an import that leads nowhere is no free pass',
      planted: { 'otp/bad.ts': `import '../stage/index.js'` },
      sentence: "src/otp/bad.ts:1 imports '../stage/index.js', but there is no src/stage/index.js",
    },
    {
      rule: 'every folder is a layer',
      planted: { 'utils/index.ts': 'export const bad = 1' },
      sentence: 'src/utils/index.ts is in no known layer: move it, or add its layer to the table',
    },
    {
      rule: 'files do not import each other in a cycle',
      planted: {
        'otp/a.ts': `import './b.ts'`,
        'otp/b.ts': `import { type C } from './c.ts'\nexport type B = C`,
        'otp/c.ts': `import './a.ts'\nexport type C = 1`,
      },
      sentence: 'files import each other in a cycle: src/otp/a.ts -> src/otp/b.ts -> src/otp/c.ts -> src/otp/a.ts',
    },
  ])('reports that $rule', ({ planted, sentence }) => {
    expect(violationsWith(planted)).toEqual([sentence])
  })

  it('lets types go round in a circle within a layer', () => {
    const planted = {
      'otp/a.ts': `import type { B } from './b.ts'\nexport type A = B`,
      'otp/b.ts': `import './a.ts'\nexport type B = 1`,
    }
    expect(violationsWith(planted)).toEqual([])
  })

  it('does not pass over a file that it cannot read', () => {
    expect(() => violationsWith({ 'otp/bad.ts': 'class {' })).toThrow('src/otp/bad.ts does not parse')
  })
})
