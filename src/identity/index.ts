import type { KeyManagerPlugin } from "../pipeline/define-key-manager.ts";
import { asgardeo } from "./asgardeo.ts";
import { jwtKeys } from "./jwt-keys.ts";
import { keycloak } from "./keycloak.ts";
import { oidc } from "./oidc.ts";
import { resident } from "./resident.ts";

/** All key managers of this build. */
export const keyManagers: readonly KeyManagerPlugin[] = [asgardeo, jwtKeys, keycloak, oidc, resident];
