import { expect, test } from "vitest";
import { keptConfiguration } from "../../src/analytics/kept-configuration.ts";
import type { ApiArtifact, ArtifactSet } from "../../src/core/plane-message.ts";

const api = (kind: string, spec: unknown): ApiArtifact => ({
  kind,
  id: "api_1" as ApiArtifact["id"], // ids are texts with a mark that only types know
  name: kind.toLowerCase(),
  teamId: "team_1" as ApiArtifact["teamId"],
  revision: 3,
  spec,
  specHash: "ab".repeat(32),
});

test("descriptions are left out of what analytics keeps, and everything else stays", () => {
  const policies = [{ use: "rate-limit", with: { requests: 5, per: "minute" } }];
  const set: ArtifactSet = {
    hash: "cd".repeat(32),
    apis: [
      api("RestApi", { context: "/r", policies, definition: { openapi: "3.1.0" } }),
      api("McpServer", {
        context: "/m",
        openapi: {
          document: { openapi: "3.1.0" },
          source: { url: "https://x.example", others: { a: {} } },
          pageSize: 5,
        },
      }),
      api("LlmApi", { context: "/l", policies }),
    ],
    supporting: [],
  };
  const kept = keptConfiguration(set);
  expect(kept.apis.map(({ spec }) => spec)).toEqual([
    { context: "/r", policies, definition: null },
    {
      context: "/m",
      openapi: { document: null, source: { url: "https://x.example", others: null }, pageSize: 5 },
    },
    { context: "/l", policies },
  ]);
  expect(kept).toMatchObject({ hash: set.hash, apis: [{ revision: 3, specHash: set.apis[0]?.specHash }, {}, {}] });
});
