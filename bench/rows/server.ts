/** The server behind the rows about messages. */
import { GenServer } from 'sluice'

export class Server extends GenServer {
  #total = 0

  echo(value: number): number {
    return value
  }

  add(value: number): void {
    this.#total += value
  }

  read(): number {
    return this.#total
  }
}
