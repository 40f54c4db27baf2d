/** An application of two servers; the arguments say how long they take, what goes wrong, and which signal the program gets. */

import { parseArgs } from 'node:util'
import { child, GenServer, name, run } from 'sluice'

const { values } = parseArgs({
  options: {
    /** Milliseconds that the work in hand takes. */
    work: { type: 'string' },
    /** Milliseconds that the worker takes to stop. */
    stop: { type: 'string', default: '0' },
    /** The signal that the program sends to itself when all has started. */
    kill: { type: 'string' },
    /** Milliseconds until the same signal comes again, and again: the first of them may be taken late, and for the same as the next. */
    again: { type: 'string' },
    shutdown: { type: 'string', default: '9000' },
    crash: { type: 'boolean', default: false },
    fail: { type: 'boolean', default: false },
    /** Something that is no part of the application keeps the program alive. */
    linger: { type: 'boolean', default: false },
  },
})

class Database extends GenServer {
  override terminate() {
    console.log('database closed')
  }
}

class Worker extends GenServer {
  override init() {
    if (values.fail) throw new RangeError('the port is taken')
    if (values.crash) this.sendAfter('crash', 0)
  }
  async work(ms: number) {
    await this.sleep(ms)
    console.log('worked')
  }
  override handleInfo() {
    throw new RangeError('the tank is empty')
  }
  override async terminate() {
    await this.sleep(Number(values.stop))
    console.log('worker stopped')
  }
}

const children = [child(Database), child(Worker, { name: Worker, shutdown: 60_000 })]
const app = await run(children, { shutdown: Number(values.shutdown) })
if (values.linger) setInterval(() => {}, 1_000_000)
if (values.work !== undefined) name(Worker).cast.work(Number(values.work))
if (values.kill !== undefined) process.kill(process.pid, values.kill)
if (values.again !== undefined) setInterval(() => process.kill(process.pid, values.kill), Number(values.again)).unref()
const { by, exitCode } = await app.done
console.log(`ended by ${by}, ${exitCode}`)
