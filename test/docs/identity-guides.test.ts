import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { redirectPatternIssue } from "../../src/core/redirect-uri.ts";
import { openControlPlane } from "../control/control-plane.ts";

const samplesOf = (guide: string, language: string): readonly string[] => {
  const text = readFileSync(join(import.meta.dirname, "../../docs/guides", guide), "utf8");
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, "gm"))].flatMap(
    ([, code]) => code ?? [],
  );
};

test("the client, the pattern and the rotation of the guide to OAuth clients are accepted", async () => {
  await using plane = await openControlPlane();
  await plane.send("POST", "/api/v1/applications", { metadata: { name: "support-bot" }, spec: {} });
  const [client = "", pattern = ""] = samplesOf("oauth-clients.md", "json");
  const clients = "/api/v1/applications/support-bot/oauth-clients";
  const made = await plane.send("POST", clients, client);
  expect(made.status).toBe(201);
  const { redirectUriPattern } = JSON.parse(pattern) as { redirectUriPattern: string }; // as the guide has it
  expect(redirectPatternIssue(redirectUriPattern)).toBeUndefined();
  const rotation = samplesOf("oauth-clients.md", "sh").flatMap((code) => /-d '(\{.*\})'/.exec(code)?.[1] ?? []);
  expect(rotation).toHaveLength(1);
  expect((await plane.send("POST", `${made.headers.get("location")}/secrets`, rotation[0])).status).toBe(201);
});

test("the user of the guide to users is accepted", async () => {
  await using plane = await openControlPlane();
  const [user = ""] = samplesOf("users.md", "json");
  expect((await plane.send("POST", "/api/v1/users", user)).status).toBe(201);
});
