/**
 * The sources as the house checks see them: a map from path (relative to `src/`, with `/`) to text. A map, not a
 * folder, so that a test can plant a violation without touching the disk.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Node, parseSync, visitorKeys } from 'oxc-parser'

export type SourceTree = ReadonlyMap<string, string>

/** Reads every `.ts` file below `folder`. */
export function readSourceTree(folder: string): SourceTree {
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.ts'))
  return new Map(paths.sort().map((path) => [path.replaceAll('\\', '/'), readFileSync(join(folder, path), 'utf8')]))
}

/** Parses one file and calls `visit` for each of its nodes, outermost first. */
export function visitNodes(path: string, text: string, visit: (node: Node, parent: Node | undefined) => void): void {
  const { program, errors } = parseSync(path, text)
  // A file that does not parse has no nodes and would pass every check.
  if (errors.length > 0) throw new Error(`src/${path} does not parse: ${errors[0]?.message}`)

  const walk = (node: Node, parent: Node | undefined): void => {
    visit(node, parent)
    for (const key of visitorKeys[node.type] ?? []) {
      const child: Node | null | readonly (Node | null)[] | undefined = Reflect.get(node, key)
      for (const each of [child].flat()) if (each) walk(each, node)
    }
  }
  walk(program, undefined)
}

/** `src/path:line` of an offset, the form that editors and terminals link. */
export function position(path: string, text: string, offset: number): string {
  return `src/${path}:${text.slice(0, offset).split('\n').length}`
}
