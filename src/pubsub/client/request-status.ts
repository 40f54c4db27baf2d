/** What went wrong with a request, as a status of HTTP, also where it was made over gRPC. */

/** The statuses that Google gives to the codes of gRPC, by number. */
const OF_GRPC: readonly number[] = [200, 499, 500, 400, 504, 404, 409, 403, 429, 400, 409, 400, 501, 500, 503, 500, 401]

/** `undefined` for what is no answer of the service, such as a connection that was lost. */
export function statusOf(error: unknown): number | undefined {
  const { status, code } = Object(error)
  if (typeof status === 'number') return status
  return typeof code === 'number' ? OF_GRPC[code] : undefined
}

/** The service has understood the request and will not do it, nor do it later. */
export function isRefusal(error: unknown): boolean {
  const status = statusOf(error)
  return status !== undefined && status >= 400 && status < 500 && ![408, 409, 429, 499].includes(status)
}

/** It is about what is in the request, and may be about one of its messages only. */
export function isAboutContent(error: unknown): boolean {
  return [400, 413].includes(statusOf(error) ?? 0)
}
