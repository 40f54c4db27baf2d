/** Checks the imports of the sources against the layers of ARCHITECTURE.md. */
import { isBuiltin } from 'node:module'
import { posix } from 'node:path'
import type { Node } from 'oxc-parser'
import { position, type SourceTree, visitNodes } from './source-tree.ts'

/** Lowest first. A layer may import itself and those in the rows above it; neighbours in a row do not know each other. */
const rows = [
  ['process'],
  ['otp'],
  ['stage'],
  ['worker'],
  ['flow', 'broadway'],
  ['connector'],
  ['rabbitmq', 'kafka', 'sqs', 'pubsub', 'nats', 'redis', 'queue'],
  ['dashboard'],
]
/** These import no package: whoever uses them installs nothing else. */
const core = ['process', 'otp', 'stage', 'worker']
/** Files directly in `src/`: only the main entry. */
const root = 'index.ts'

export interface LayerReport {
  readonly modules: number
  /** Imports from one file of the tree to another. */
  readonly edges: number
  /** One sentence each; empty when all is well. */
  readonly violations: readonly string[]
}

interface Import {
  readonly specifier: string
  readonly typeOnly: boolean
  readonly where: string
}

export function checkLayers(tree: SourceTree): LayerReport {
  const violations: string[] = []
  const graph = new Map<string, string[]>()
  let edges = 0

  for (const [path, text] of tree) {
    const from = layerOf(path)
    const runtimeImports: string[] = []
    graph.set(path, runtimeImports)
    if (mayImport(from) === undefined) {
      violations.push(`src/${path} is in no known layer: move it, or add its layer to the table`)
      continue
    }
    for (const { specifier, typeOnly, where } of importsOf(path, text)) {
      if (!specifier.startsWith('.')) {
        const complaint = packageComplaint(from, specifier)
        if (complaint) violations.push(`${where} imports '${specifier}': ${complaint}`)
        continue
      }
      const target = posix.join(posix.dirname(path), specifier)
      if (!tree.has(target)) {
        violations.push(`${where} imports '${specifier}', but there is no src/${target}`)
        continue
      }
      edges++
      if (!typeOnly) runtimeImports.push(target)
      const complaint = layerComplaint(from, layerOf(target))
      if (complaint) violations.push(`${where} imports src/${target}: ${complaint}`)
    }
  }
  for (const cycle of findCycles(graph)) violations.push(`files import each other in a cycle: ${cycle.join(' -> ')}`)
  return { modules: tree.size, edges, violations }
}

function layerOf(path: string): string {
  return path.includes('/') ? path.slice(0, path.indexOf('/')) : path
}

/** The layers that a layer may import besides itself; `undefined` for no layer of ours. */
function mayImport(layer: string): readonly string[] | undefined {
  const row = rows.findIndex((names) => names.includes(layer))
  if (row >= 0) return [...rows.slice(0, row).flat(), 'telemetry']
  if (layer === 'telemetry') return []
  if (layer === root || layer === 'testing') return [...rows.flat(), 'telemetry']
  return undefined
}

function layerComplaint(from: string, to: string): string | undefined {
  const allowed = mayImport(from) ?? []
  if (to === from || allowed.includes(to)) return undefined
  if (to === 'testing') return 'nothing in src may import testing'
  if (to === root) return 'the main entry is for users; import the file that defines the name'
  return `${from} may import only ${[from, ...allowed].join(', ')}`
}

function packageComplaint(from: string, specifier: string): string | undefined {
  if (/^sluice(\/|$)/.test(specifier)) return 'sources import each other by relative path'
  if (core.includes(from) && !(specifier.startsWith('node:') && isBuiltin(specifier))) {
    return `${from} is a core layer, which imports no package, only node: builtins`
  }
  return undefined
}

/**
 * Everything that names another module: import, export from, `import()`, `import('...')` as a type. A computed
 * `import(x)` is left out: it loads a user's module.
 */
function importsOf(path: string, text: string): readonly Import[] {
  const found: Import[] = []
  visitNodes(path, text, (node) => {
    const source = sourceOf(node)
    if (!source || source.specifier === undefined) return
    found.push({ ...source, specifier: source.specifier, where: position(path, text, node.start) })
  })
  return found
}

function sourceOf(node: Node): { specifier: string | undefined; typeOnly: boolean } | undefined {
  switch (node.type) {
    case 'ImportDeclaration':
      // `import { type A } from` stays an import at run time under verbatimModuleSyntax, so only the outer word counts.
      return { specifier: node.source.value, typeOnly: node.importKind === 'type' }
    case 'ExportNamedDeclaration':
    case 'ExportAllDeclaration':
      return { specifier: node.source?.value, typeOnly: node.exportKind === 'type' }
    case 'ImportExpression':
      return { specifier: constantText(node.source), typeOnly: false }
    case 'TSImportType':
      return { specifier: node.source.value, typeOnly: true }
    default:
      return undefined
  }
}

function constantText(node: Node): string | undefined {
  if (node.type === 'Literal' && typeof node.value === 'string') return node.value
  if (node.type === 'TemplateLiteral' && node.expressions.length === 0) return node.quasis[0]?.value.cooked ?? undefined
  return undefined
}

/** One way round for each cycle that a depth-first walk runs into. */
function findCycles(graph: ReadonlyMap<string, readonly string[]>): readonly (readonly string[])[] {
  const cycles: string[][] = []
  const done = new Set<string>()
  const way: string[] = []
  const walk = (path: string): void => {
    const start = way.indexOf(path)
    if (start >= 0) cycles.push([...way.slice(start), path].map((each) => `src/${each}`))
    if (start >= 0 || done.has(path)) return
    way.push(path)
    for (const next of graph.get(path) ?? []) walk(next)
    way.pop()
    done.add(path)
  }
  for (const path of graph.keys()) walk(path)
  return cycles
}
