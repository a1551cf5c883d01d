import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { z } from "zod";
import type { ListedServer } from "../../../src/gateway/registry/server-document.ts";
import { registryName, serverDocument } from "../../../src/gateway/registry/server-document.ts";

const server: ListedServer = {
  name: "notes",
  title: "Notes and files",
  description: "Notes of\n  the team.",
  version: "1.0",
  url: "https://gateway.example.com/notes/mcp",
  apiKey: "required",
};
const publicUrl = "https://gateway.example.com";
let official: z.ZodType;

beforeAll(async () => {
  const text = await readFile(join(import.meta.dirname, "server.schema.json"), "utf8");
  official = z.fromJSONSchema(JSON.parse(text) as Parameters<typeof z.fromJSONSchema>[0]); // the published schema
});

test("the official schema refuses what it is to refuse", () => {
  expect(official.safeParse({ name: "no-slash", description: "x", version: "1" }).success).toBe(false);
  expect(official.safeParse({ name: "a/b", description: "x".repeat(101), version: "1" }).success).toBe(false);
  expect(official.safeParse({ name: "a/b", description: "x", version: "1", remotes: [{ url: "x" }] }).success).toBe(
    false,
  );
});

test.each<{ name: string; more: Partial<ListedServer>; at?: string }>([
  { name: "a server with a key", more: {} },
  { name: "one that takes tokens too", more: { apiKey: "optional" } },
  { name: "one that takes no key", more: { apiKey: "none" } },
  { name: "one without words", more: { title: undefined, description: undefined } },
  { name: "one with white space for words", more: { title: " ", description: "\n" } },
  { name: "one with many words", more: { title: "é".repeat(200), description: "😀".repeat(5_000) } },
  { name: "one at an address", more: {}, at: "http://127.0.0.1:8080" },
  { name: "one at an IPv6 address", more: {}, at: "http://[::1]:8080" },
  { name: "one at a long host", more: {}, at: `https://${"a".repeat(60)}.${"b".repeat(60)}.${"c".repeat(60)}.example` },
])("$name has a document that the official schema takes", ({ more, at = publicUrl }) => {
  expect(official.safeParse(serverDocument({ ...server, ...more }, at)).error).toBeUndefined();
});

test("the document says where the server is and which header is to be filled in", () => {
  expect(serverDocument(server, publicUrl)).toMatchObject({
    name: "com.example.gateway/notes",
    title: "Notes and files",
    description: "Notes of the team.",
    remotes: [
      {
        type: "streamable-http",
        url: "https://gateway.example.com/notes/mcp",
        headers: [{ name: "Authorization", value: "Bearer {api_key}", isRequired: true, isSecret: true }],
      },
    ],
  });
  expect(JSON.stringify(serverDocument({ ...server, apiKey: "none" }, publicUrl))).not.toContain("headers");
});

test("a host without a name of its own gives no name that could be somebody's", () => {
  expect(registryName("notes", "http://localhost:8080")).toBe("local.gatehouse/notes");
  expect(registryName("notes", "http://10.1.2.3")).toBe("local.gatehouse/notes");
});
