import { embedders } from "../../src/embedding/index.ts";
import { pluginContract } from "../kit/plugin-contract.ts";

pluginContract({
  folder: "src/embedding",
  plugins: embedders,
  table: "openai-shaped.ts",
  files: { "built-in": "static-embedder" },
});
