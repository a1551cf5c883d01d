import { secretName } from "../../core/api-spec.ts";
import { headerValue } from "../../kernel/header-value.ts";
import type { MaybePromise } from "../../kernel/maybe-promise.ts";
import type { SecretReader } from "../../pipeline/plugin.ts";

/** Reads a secret for a header at each request, so that a changed one is used at once; no promise where it is at hand. */
export function secretHeader(secrets: SecretReader, reference: string): () => MaybePromise<string> {
  const name = secretName(reference);
  return () => {
    const value = secrets.read(name);
    return value instanceof Promise ? value.then((text) => headerValue(text, name)) : headerValue(value, name);
  };
}

/** Goes on with a value, at once where it is there. */
export function withValue<Value, Result>(
  value: MaybePromise<Value>,
  next: (value: Value) => MaybePromise<Result>,
): MaybePromise<Result> {
  return value instanceof Promise ? value.then(next) : next(value);
}
