/** Checks what every source file has to keep: one owner of time, files of a readable length, honest types. */
import type { Node } from 'oxc-parser'
import { position, type SourceTree, visitNodes } from './source-tree.ts'

const maxLines = 600
/** Per 1,000 lines of all sources together. */
const budgets = { any: 2, as: 4 }

/** Where time may be read and work be scheduled. A page in a browser has no runtime of ours to ask. */
const ownsTime = /^process\/(clock|scheduler)[^/]*\.ts$|^dashboard\/client\//
const timeFunctions = ['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask']
const timeMembers = ['Date.now', 'performance.now', 'process.nextTick', 'process.hrtime', 'AbortSignal.timeout']

/** One sentence for each violation; empty when all is well. */
export function checkHouseRules(tree: SourceTree): readonly string[] {
  const violations: string[] = []
  const escapes: Record<keyof typeof budgets, string[]> = { any: [], as: [] }
  let lines = 0

  for (const [path, text] of tree) {
    const length = text.replace(/\n$/, '').split('\n').length
    lines += length
    if (length > maxLines) violations.push(`src/${path} has ${length} lines, more than ${maxLines}: split it`)

    visitNodes(path, text, (node, parent) => {
      const where = position(path, text, node.start)
      const time = ownsTime.test(path) ? undefined : timeUse(node, parent)
      if (time) violations.push(`${where} uses ${time}: time and scheduling go through the clock and the scheduler`)
      if (node.type === 'TSAnyKeyword') escapes.any.push(where)
      if (isCast(node)) escapes.as.push(where)
    })
  }
  for (const kind of ['any', 'as'] as const) {
    const found = escapes[kind]
    if (found.length * 1_000 <= budgets[kind] * lines) continue
    violations.push(
      `\`${kind}\` is used ${found.length} times in ${lines} lines, ` +
        `more than ${budgets[kind]} per 1,000: ${found.join(', ')}`,
    )
  }
  return violations
}

function timeUse(node: Node, parent: Node | undefined): string | undefined {
  if (node.type === 'MemberExpression') {
    const { object, property } = node
    if (object.type !== 'Identifier' || property.type !== 'Identifier') return undefined
    const name = `${object.name}.${property.name}`
    const isGlobal = object.name === 'globalThis' && timeFunctions.includes(property.name)
    return isGlobal || timeMembers.includes(name) ? name : undefined
  }
  if (node.type === 'NewExpression' && node.callee.type === 'Identifier' && node.callee.name === 'Date') {
    return node.arguments.length === 0 ? 'new Date()' : undefined
  }
  return node.type === 'Identifier' && timeFunctions.includes(node.name) && !isOnlyName(node, parent)
    ? node.name
    : undefined
}

/** A member of that name, or a mention as a type, reads no clock. */
function isOnlyName(node: Node, parent: Node | undefined): boolean {
  if (parent?.type === 'TSTypeQuery') return true
  if (parent?.type === 'MemberExpression') return parent.property === node && !parent.computed
  return parent !== undefined && 'key' in parent && parent.key === node && !('shorthand' in parent && parent.shorthand)
}

/** `x as T` and `<T>x`; `as const` only narrows. */
function isCast(node: Node): boolean {
  if (node.type === 'TSTypeAssertion') return true
  if (node.type !== 'TSAsExpression') return false
  const type = node.typeAnnotation
  return !(type.type === 'TSTypeReference' && type.typeName.type === 'Identifier' && type.typeName.name === 'const')
}
