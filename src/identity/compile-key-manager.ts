import type { KeyManagerRecord } from "../core/plane-message.ts";
import type { FieldIssue } from "../kernel/errors.ts";
import { GatewayError } from "../kernel/errors.ts";
import type { CompiledKeyManager, KeyManagerTools } from "../pipeline/define-key-manager.ts";
import { keyManagers } from "./index.ts";

/** What is wrong with the configuration of a key manager; nothing when it compiles. Paths are below `spec`. */
export function keyManagerIssues(use: string, config: unknown): readonly FieldIssue[] {
  const plugin = keyManagers.find(({ id }) => id === use);
  if (plugin === undefined) {
    const known = keyManagers.map(({ id }) => id).toSorted();
    return [{ path: "spec.use", message: `there is no key manager "${use}"; there are: ${known.join(", ")}` }];
  }
  const parsed = plugin.config.safeParse(config);
  if (parsed.success) return [];
  return parsed.error.issues.map(({ path, message }) => ({
    path: ["spec.with", ...path].map(String).join("."),
    message,
  }));
}

/** A key manager of its record. Throws `resource.invalid` with the issues. */
export function compileKeyManager(record: KeyManagerRecord, tools: KeyManagerTools): CompiledKeyManager {
  const issues = keyManagerIssues(record.use, record.with);
  const plugin = keyManagers.find(({ id }) => id === record.use);
  if (plugin === undefined || issues.length > 0) {
    throw new GatewayError("resource.invalid", `KeyManager/${record.name} is not valid: ${issues[0]?.message}`, {
      issues,
    });
  }
  return plugin.compile(plugin.config.parse(record.with), tools, record);
}
