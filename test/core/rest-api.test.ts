import { afterEach, beforeEach, expect, test } from "vitest";
import { getResource } from "../../src/core/resources.ts";
import type { CoreFixture } from "./core-fixture.ts";
import { coreFixture, create, kindOf, rejection } from "./core-fixture.ts";

let core: CoreFixture;
beforeEach(async () => {
  core = await coreFixture();
});
afterEach(() => core[Symbol.asyncDispose]());

const info = { title: "Orders", version: "1.0" };
const spec = (definition: object) => ({
  context: "/orders",
  definition,
  upstream: { production: { url: "https://orders.example.com" }, sandbox: { sameAs: "production" } },
});

test.each([
  { name: "2.0", definition: { swagger: "2.0", info, basePath: "/v1", paths: {} } },
  { name: "3.0", definition: { openapi: "3.0.3", info, paths: {} } },
  { name: "3.1", definition: { openapi: "3.1.0", info, webhooks: {} } },
])("a REST API keeps its OpenAPI document of $name as it is", async ({ definition }) => {
  await create(core, "RestApi", "orders", spec(definition));
  expect(await getResource(core.context, kindOf("RestApi"), "orders")).toMatchObject({ spec: { definition } });
});

test.each([
  { name: "that does not say which", definition: { info, paths: {} } },
  { name: "that says two", definition: { openapi: "3.0.3", swagger: "2.0", info, paths: {} } },
  { name: "of a version that nobody knows", definition: { openapi: "4.0.0", info, paths: {} } },
])("a document $name is refused with its place", async ({ definition }) => {
  const error = await rejection(create(core, "RestApi", "orders", spec(definition)));
  expect(error.issues).toMatchObject([{ path: "spec.definition.openapi" }]);
});
