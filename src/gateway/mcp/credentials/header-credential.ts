import { secretName } from "../../../core/api-spec.ts";
import type { HeaderAuth } from "../../../core/upstream-auth.ts";
import { headerValue } from "../../../kernel/header-value.ts";
import type { SecretReader } from "../../../pipeline/plugin.ts";
import type { ShownCredential, UpstreamCredential } from "./upstream-credential.ts";

/** A secret of the vault in a header, the same for everybody. A new value of it is in the next request. */
export function headerCredential(auth: HeaderAuth, secrets: SecretReader): UpstreamCredential {
  const header = auth.header.toLowerCase();
  const name = secretName(auth.secret);
  const shown = (value: string): ShownCredential => {
    const secret = headerValue(value, name);
    return { headers: { [header]: auth.scheme === "" ? secret : `${auth.scheme} ${secret}` } };
  };
  return {
    show() {
      const value = secrets.read(name);
      return value instanceof Promise ? value.then(shown) : shown(value);
    },
  };
}
