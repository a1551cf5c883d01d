import { openaiShaped } from "../../src/embedding/openai-shaped.ts";
import { createVectorCache } from "../../src/embedding/vector-cache.ts";
import { fakeEmbeddings } from "../kit/embedder-tools.ts";

// Fills a cache for ever, and says what is safe, until it is killed.
const [path = ""] = process.argv.slice(2);
const fake = fakeEmbeddings();
const plugin = openaiShaped[0];
if (plugin === undefined) throw new Error("no embedder");
const cache = createVectorCache({ path, maxBytes: 1_048_576, log: fake.tools.log });
const embedder = cache.over(plugin.compile(plugin.config.parse({ apiKey: "${secret:openai-key}" }), fake.tools));
for (let count = 0; ; count += 1) {
  await embedder.embed([`text ${count}`]);
  if (count % 10 === 0) {
    await cache.flush();
    process.stdout.write(`${count}\n`);
  }
}
