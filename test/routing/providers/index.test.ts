import { providers } from "../../../src/routing/providers/index.ts";
import { pluginContract } from "../../kit/plugin-contract.ts";

pluginContract({ folder: "src/routing/providers", plugins: providers, table: "openai-shaped.ts" });
