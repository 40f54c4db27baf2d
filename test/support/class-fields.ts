/**
 * Tells how the transformer at work treats class fields. Under `useDefineForClassFields: false` a field is assigned:
 * the setter of a base class sees it, and a field without an initialiser leaves nothing behind.
 */
class Base {}
Object.defineProperty(Base.prototype, 'initialised', { set() {} })

class Derived extends Base {
  initialised = 1
  empty?: number
}

const instance = new Derived()

export const definedFields: readonly string[] = Object.keys(instance)
