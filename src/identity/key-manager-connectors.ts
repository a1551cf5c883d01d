import type { KeyManagerConnectors } from "../core/key-manager-connector.ts";
import type { KeyManagerTools } from "../pipeline/define-key-manager.ts";
import { compileKeyManager, keyManagerIssues } from "./compile-key-manager.ts";

/** The control plane's side of all key managers of this build. */
export function createKeyManagerConnectors(tools: KeyManagerTools): KeyManagerConnectors {
  return {
    issues: keyManagerIssues,
    open(record) {
      const compiled = compileKeyManager(record, tools);
      return { ...compiled, issuers: compiled.rules.issuers, [Symbol.asyncDispose]: async () => undefined };
    },
  };
}
