/** Loading a module inside a worker. */

import { WorkerError } from './errors.ts'

const TYPESCRIPT = Symbol.for('sluice.typescript')

/**
 * Loads a module that users name, in this worker. `loader` is what `typeScriptLoader` gave for it in the main thread.
 *
 * @throws `WorkerError` `bad_module`.
 */
export async function loadModule(url: string, loader: string | undefined): Promise<object> {
  if (loader !== undefined && Reflect.get(globalThis, TYPESCRIPT) !== true) {
    const { register }: { register(): void } = await import(loader)
    register()
    Reflect.set(globalThis, TYPESCRIPT, true)
  }
  try {
    return await import(url)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    const unknown = error instanceof Error && 'code' in error && error.code === 'ERR_UNKNOWN_FILE_EXTENSION'
    const hint = unknown ? '; to load TypeScript in a worker install tsx, or use Node 24, or build it first' : ''
    throw new WorkerError('bad_module', `${url} could not be loaded: ${why}${hint}`, { cause: error })
  }
}

/** What a module exports under a name. @throws `WorkerError` `bad_module`, which names what it does export. */
export function exportOf<T>(
  url: string,
  loaded: object,
  name: string,
  kind: string,
  fits: (found: unknown) => found is T,
): T {
  const found: unknown = Reflect.get(loaded, name)
  if (fits(found)) return found
  const exported = Object.keys(loaded).join(', ') || 'nothing'
  const what = found === undefined ? 'does not export' : `exports something else than ${kind} as`
  throw new WorkerError('bad_module', `${url} ${what} ${name}; it exports ${exported}`)
}
