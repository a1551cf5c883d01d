/**
 * The function, asked once for each object as long as the object lives; for objects that nobody changes. What is no object
 * is asked for each time.
 */
export function memoByObject<Value>(make: (value: unknown) => Value): (value: unknown) => Value {
  const made = new WeakMap<object, { readonly value: Value }>();
  return (value) => {
    if (typeof value !== "object" || value === null) return make(value);
    const known = made.get(value);
    if (known !== undefined) return known.value;
    const fresh = { value: make(value) };
    made.set(value, fresh);
    return fresh.value;
  };
}
