import type { ConnectionTest, ConnectionTestStep } from "../core/key-manager-connector.ts";
import { toGatewayError } from "../kernel/errors.ts";

/** A step of a test: says what it found, or throws. */
export interface TestStep {
  readonly name: ConnectionTestStep["name"];
  run(): Promise<string>;
}

/** Runs the steps in order until one fails, which says what is wrong. Never rejects. */
export async function runConnectionTest(steps: readonly TestStep[]): Promise<ConnectionTest> {
  const done: ConnectionTestStep[] = [];
  for (const { name, run } of steps) {
    try {
      done.push({ name, ok: true, detail: await run() });
    } catch (error) {
      const { message, detail } = toGatewayError(error);
      done.push({ name, ok: false, detail: detail === undefined ? message : `${message} (${detail})` });
      return { ok: false, steps: done };
    }
  }
  return { ok: true, steps: done };
}

/** How many keys a key set that was fetched holds. */
export function countKeys(value: unknown): string {
  const keys = typeof value === "object" && value !== null && "keys" in value ? value.keys : undefined;
  return Array.isArray(keys) ? `${keys.length} keys` : "no key set";
}
