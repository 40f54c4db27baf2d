// A fixture for test/types.test.ts: code that must not compile, with what the compiler has to say about it. To add one,
// write a file in this folder and mark each line that is an error with part of the message, at its end:

export const length: number = 'three' // error: Type 'string' is not assignable to type 'number'

// or, where the line is long, above it. Any other error, or a missing one, fails the test.

// error: Argument of type 'string' is not assignable to parameter of type
export const root = Math.sqrt('nine')
