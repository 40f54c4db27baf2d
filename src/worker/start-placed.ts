/** Starting a process in a worker, for the thread that asked for it. */

import { type Definition, definitionOf } from '../otp/definition.ts'
import { planStart, Starting, type StartPlan } from '../otp/start.ts'
import type { Class } from '../process/name.ts'
import { exportOf, loadModule } from './load-module.ts'
import type { Peer } from './peer.ts'
import type { Places } from './places.ts'
import type { ControlFrame, StartRequest } from './wire.ts'
import { sendable } from './wire-error.ts'

type StartFrame = Extract<ControlFrame, readonly ['start', ...unknown[]]>

/** Loads the module, starts the process, and tells how that went. */
export function startPlaced(places: Places, starter: Peer, [, number, request, loader]: StartFrame): void {
  const refused = (error: unknown): void => starter.line.send(['refused', number, sendable(error)])
  load(request, loader).then((type) => {
    try {
      launch(places, starter, number, request, type)
    } catch (error) {
      refused(error)
    }
  }, refused)
}

function launch(places: Places, starter: Peer, number: number, request: StartRequest, type: Class): void {
  const { runtime } = places
  const parent = request.parent === undefined ? runtime.main : places.received(request.parent)
  const plan = planOf(type, request, (process) => {
    starter.line.send(['born', number, places.sendable(process.ref)])
    starter.watch(process.id)
  })
  const starting = new Starting(plan, parent, request.parent !== undefined, request.restarts)
  starting.settled(() => {
    if (starting.refused) starter.line.send(['refused', number, refusalOf(starting.thrown)])
    else starter.line.send(['started', number])
  })
}

/** The thread that asked hears of the process before its constructor runs, which may send its ref. */
function planOf(type: Class, { arg, extra }: StartRequest, born: (process: Starting['process']) => void): StartPlan {
  const given = definitionOf(type)
  const definition: Definition = {
    ...given,
    makeBehaviour: (process, own) => {
      const behaviour = given.makeBehaviour(process, own)
      process.behaviour = behaviour
      born(process)
      return behaviour
    },
  }
  // The argument is a copy already.
  return { ...planStart(type, extra), definition, arg }
}

/** A symbol cannot be sent. */
function refusalOf(thrown: unknown): ReturnType<typeof sendable> {
  return typeof thrown === 'symbol' ? 'ignore' : sendable(thrown)
}

/** By their URLs. Those that are started in the same module are started in the order in which that was asked. */
const modules = new Map<string, Promise<object>>()

async function load({ module, name }: StartRequest, loader: string | undefined): Promise<Class> {
  let loading = modules.get(module)
  if (loading === undefined) {
    loading = loadModule(module, loader)
    modules.set(module, loading)
    // It may be there when it is asked for again.
    loading.catch(() => modules.delete(module))
  }
  return exportOf(module, await loading, name, 'a class', isClass)
}

function isClass(value: unknown): value is Class {
  return typeof value === 'function' && typeof value.prototype === 'object'
}
