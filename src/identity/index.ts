import type { KeyManagerPlugin } from "../pipeline/define-key-manager.ts";
import { resident } from "./resident.ts";

/** All key managers of this build. */
export const keyManagers: readonly KeyManagerPlugin[] = [resident];
