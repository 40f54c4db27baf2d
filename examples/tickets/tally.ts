/** What was counted while it runs. The truth is in the database and in the queues; this is for those who watch. */

export class Tally {
  /** Tickets sold. */
  booked = 0
  /** Bookings that get none. */
  refused = 0
  /** Bookings that came again when they had their ticket. */
  repeated = 0
  /** Attempts of the pipelines that came to nothing, and were repeated. */
  retried = 0
  /** E-mails sent. */
  digests = 0
  // What went wrong on purpose.
  thrown = 0
  killed = 0
  outages = 0
}
