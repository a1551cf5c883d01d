import { keyManagers } from "../../src/identity/index.ts";
import { pluginContract } from "../kit/plugin-contract.ts";

pluginContract({ folder: "src/identity", plugins: keyManagers });
