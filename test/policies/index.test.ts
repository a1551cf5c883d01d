import { policies } from "../../src/policies/index.ts";
import { pluginContract } from "../kit/plugin-contract.ts";

pluginContract({ folder: "src/policies", plugins: policies });
