import { expect, test } from "vitest";
import { startTestGatehouse } from "../../kit/gatehouse.ts";
import { chunk, startMockUpstream } from "../../kit/mock-upstream.ts";
import { rawHttp } from "../../kit/raw-http.ts";

const secret = `ghp_${"aB3dE5gH7jK9".repeat(3)}`;
const filler = "tide ".repeat(20_000);

test.each([
  { use: "secrets", given: { phases: ["response"] }, kept: "a secret", hidden: secret },
  { use: "pii", given: { answers: { action: "redact" } }, kept: "an address", hidden: "jane.doe@acme.example.com" },
])(
  "$use finds $kept in one piece of a stream that is longer than what is judged at once",
  async ({ use, given, hidden }) => {
    await using upstream = await startMockUpstream();
    await using gatehouse = await startTestGatehouse();
    const api = await gatehouse.llm("chat", `${upstream.url}/v1`, {
      policies: [{ use, with: given }],
    });
    upstream.respond((_request, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(chunk({ role: "assistant", content: `${filler}${hidden.slice(0, 9)}` }));
      response.write(chunk({ content: `${hidden.slice(9)} ${filler}${hidden} ${filler}` }));
      response.end(`${chunk({}, { finish: "stop" })}data: [DONE]\n\n`);
    });
    const headers = { "content-type": "application/json", authorization: `Bearer ${api.key}` };
    const body = JSON.stringify({ model: "m", stream: true, messages: [{ role: "user", content: "Hi" }] });
    const answer = await rawHttp(`${api.url}/chat/completions`, { headers, body });
    const text = answer.text
      .split("\n")
      .filter((line) => line.startsWith("data: {"))
      .map(
        (line) =>
          (JSON.parse(line.slice(6)) as { choices: { delta: { content?: string } }[] }).choices[0]?.delta.content,
      )
      .join("");
    expect(answer.text).toContain("[DONE]");
    expect(text).not.toContain(hidden);
    expect(text.length).toBeGreaterThan(3 * filler.length);
  },
);
