/** Claims about types. They compile or they do not: nothing here exists at run time. */

/** `true` when both are the same type; unlike mutual `extends` it tells `any`, `readonly` and optional apart. */
export type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

/** `expectType<Equal<A, B>>()`: compiles only when the claim holds. */
export declare function expectType<_Claim extends true>(): void

/** `expectValue<string>()(value)`: compiles only when the value has exactly that type. */
export declare function expectValue<Expected>(): <Actual>(
  value: Actual,
  ...mismatch: Equal<Actual, Expected> extends true ? [] : [{ expected: Expected; got: Actual }]
) => void
