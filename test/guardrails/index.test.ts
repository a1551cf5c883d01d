import { guardrails } from "../../src/guardrails/index.ts";
import { pluginContract } from "../kit/plugin-contract.ts";

pluginContract({ folder: "src/guardrails", plugins: guardrails });
