import { findKind } from "../core/kinds.ts";
import { GatewayError } from "../kernel/errors.ts";
import type { ControlOptions } from "./common-options.ts";
import { openControlClient } from "./control-client.ts";
import type { Shell } from "./shell.ts";

/**
 * Takes APIs off the gateways, each named as `Kind/name`. With `--offline` also when Gatehouse refuses to start because
 * of them. Throws `request.invalid` for a kind that is not deployed, before anything is taken off.
 */
export async function undeploy(apis: readonly string[], options: ControlOptions, shell: Shell): Promise<void> {
  const paths = apis.map(pathOf);
  await using control = await openControlClient(options, shell);
  for (const [index, path] of paths.entries()) {
    await control.call("POST", `${path}/undeploy`);
    shell.out(`undeployed ${apis[index]}`);
  }
}

function pathOf(api: string): string {
  const [, kindName = "", name = ""] = /^([^/]+)\/([^/]+)$/.exec(api) ?? [];
  const kind = findKind(kindName);
  if (kind?.live === "revision") return `/api/v1/${kind.path}/${encodeURIComponent(name)}`;
  throw new GatewayError("request.invalid", `${api}: write the kind and the name of an API, such as LlmApi/demo.`);
}
