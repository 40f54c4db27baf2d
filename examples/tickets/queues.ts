/** The two queues: what customers ask for, and what they are to hear of. */

import { Queue } from 'sluice/queue'
import type { Booking, Confirmation } from './booking.ts'

export class Bookings extends Queue<Booking> {}

export class Confirmations extends Queue<Confirmation> {}
