/** The work of `send_email`: hands a mail to a service over HTTP. */

import { problemOf } from './problem.ts'
import { done, errored, type Work } from './work.ts'

/** The subject is the address of who gets the mail; `service` is the URL to post it to. */
export function sendEmail(service: string): Work {
  return async (to, { signal }) => {
    try {
      const body = JSON.stringify({ to, subject: 'Your imports', text: 'They are on their way.' })
      const response = await fetch(service, { method: 'POST', body, signal })
      return response.ok ? done('accepted') : errored(`${response.status} ${response.statusText}`)
    } catch (error) {
      return errored(problemOf(error))
    }
  }
}
