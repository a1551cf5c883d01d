import { alert } from "../../src/core/alert.ts";
import type { Resource } from "../../src/core/resource.ts";
import { getResource } from "../../src/core/resources.ts";
import type { ControlPlane } from "./control-plane.ts";

/** An alert as the catalog has it. */
export function storedAlert({ context }: ControlPlane, name: string): Promise<Resource> {
  return getResource(context, alert, name);
}
