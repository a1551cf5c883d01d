import { strategies } from "../../../src/routing/strategies/index.ts";
import { pluginContract } from "../../kit/plugin-contract.ts";

pluginContract({ folder: "src/routing/strategies", plugins: strategies });
