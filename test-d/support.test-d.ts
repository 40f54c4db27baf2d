import { type Equal, expectType, expectValue } from './support.ts'

declare const word: string
declare const anything: any

expectType<Equal<string, string>>()
expectType<Equal<Equal<{ a: 1 }, { readonly a: 1 }>, false>>()
expectType<Equal<Equal<{ a?: 1 }, { a?: 1 | undefined }>, false>>()
expectValue<string>()(word)

// @ts-expect-error a claim that does not hold
expectType<Equal<string, string | undefined>>()
// @ts-expect-error any is not string
expectType<Equal<any, string>>()
// @ts-expect-error the value has another type
expectValue<number>()(word)
// @ts-expect-error any passes for nothing
expectValue<string>()(anything)
