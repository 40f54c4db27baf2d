import { Batch, Consumer, child, QueueProducer, RateLimiter, start } from 'sluice'

interface Job {
  readonly id: number
}
const queue = await start(QueueProducer<Job>)
await queue.call.enqueue('job') // error: Argument of type 'string' is not assignable to parameter of type 'Job'
await queue.call.enqueueAll([{ name: 'a' }]) // error: 'name' does not exist in type 'Job'
queue.cast.enqueue() // error: Expected 1 arguments, but got 0
child(QueueProducer<Job>, { arg: { capasity: 10 } }) // error: 'capasity' does not exist in type 'QueueProducerOptions<Job>'
child(QueueProducer<Job>, { arg: { capacity: '10' } }) // error: Type 'string' is not assignable to type 'number'
child(QueueProducer<Job>, { arg: { overflow: 'explode' } }) // error: Type '"explode"' is not assignable to type 'Overflow | undefined'
child(QueueProducer<Job>, { arg: { bufferSize: 10 } }) // error: 'bufferSize' does not exist in type 'QueueProducerOptions<Job>'

child(RateLimiter<Job>, { arg: { limit: 10 } }) // error: Property 'interval' is missing in type '{ limit: number; }' but required in type 'RateLimiterOptions<Job>'
child(RateLimiter<Job>) // error: Expected 2 arguments, but got 1
child(Batch<Job>, { arg: { size: 10, wieght: 5 } }) // error: 'wieght' does not exist in type 'BatchOptions<Job>'. Did you mean to write 'weight'?
class Worker extends Consumer<Job> {
  override handleEvents() {}
}
child(Worker, { subscribeTo: [{ to: Batch<Job> }] }) // error: Property 'id' is missing in type 'readonly Job[]' but required in type 'Job'
