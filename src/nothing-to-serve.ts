import type { CoreContext } from "./core/core-context.ts";
import type { PlaneMessage } from "./core/plane-message.ts";
import { GatewayError } from "./kernel/errors.ts";

/** The `config.invalid` error of deployed APIs that do not compile here, which names them and the way out. */
export async function nothingToServe(
  context: Pick<CoreContext, "check">,
  messages: readonly PlaneMessage[],
): Promise<GatewayError> {
  const sets = messages.flatMap((message) => (message.type === "artifacts" ? [message.set] : []));
  const issues = (await Promise.all(sets.map((set) => context.check(set)))).flat();
  const apis = [...new Set(issues.flatMap(({ path }) => /^[A-Za-z]+\/[^:\s]+(?=:)/.exec(path)?.[0] ?? []))];
  const command = `gatehouse undeploy ${apis.length === 0 ? "KIND/NAME" : apis.join(" ")} --offline`;
  return new GatewayError(
    "config.invalid",
    `What is deployed cannot be served here, so nothing would be. Take it down with: ${command}; or mend it with: gatehouse apply -f FILE --offline.`,
    { issues },
  );
}
