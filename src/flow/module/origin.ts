/** Where a flow comes from, so that another thread can build the same. Plain data. */
export interface FlowOrigin {
  /** The URL of the module. */
  readonly url: string
  /** Which of the flows that the module defines, in the order in which it does. */
  readonly place: number
  readonly params: unknown
  /** The module came from a bundler such as Vite, so its functions have other texts than those of the file. */
  readonly bundled: boolean
}
