import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { asyncChannelFaults } from "../../src/core/async-channels.ts";
import { publishApi } from "../../src/core/publishing.ts";
import { getResource, replaceResource } from "../../src/core/resources.ts";
import type { CoreFixture } from "./core-fixture.ts";
import { admin, coreFixture, create, kindOf, rejection } from "./core-fixture.ts";

const info = { title: "Orders", version: "1.0" };
const channels = { placed: {}, "orders/placed": {}, "100%": {} };
const leading = ($ref: unknown) => ({
  asyncapi: "3.0.0",
  info,
  channels,
  components: { channels: { shared: {} } },
  operations: { tell: { action: "send", channel: { $ref } } },
});

describe("channels of operations", () => {
  test.each([
    { name: "one of the root", $ref: "#/channels/placed" },
    { name: "one of the components", $ref: "#/components/channels/shared" },
    { name: "one with a slash in its name", $ref: "#/channels/orders~1placed" },
    { name: "one with a percent sign in its name", $ref: "#/channels/100%25" },
  ])("are there: $name", ({ $ref }) => {
    expect(asyncChannelFaults(leading($ref))).toEqual([]);
  });

  test.each([
    { name: "one that nobody has described", $ref: "#/channels/gone" },
    { name: "one that is a member of every object", $ref: "#/channels/constructor" },
    { name: "something else of the document", $ref: "#/info" },
    { name: "another document", $ref: "other.yaml#/channels/placed" },
    { name: "an address", $ref: "https://example.com/api.yaml#/channels/placed" },
  ])("are missed: $name", ({ $ref }) => {
    expect(asyncChannelFaults(leading($ref))).toMatchObject([{ path: ["operations", "tell", "channel", "$ref"] }]);
  });

  test("are missed where an operation has none", () => {
    expect(asyncChannelFaults(leading(undefined))).toMatchObject([{ path: ["operations", "tell", "channel"] }]);
  });

  test("are not looked for in 2.x", () => {
    expect(asyncChannelFaults({ ...leading("#/channels/gone"), asyncapi: "2.6.0" })).toEqual([]);
  });
});

describe("an API of messages in the catalogue", () => {
  let core: CoreFixture;
  beforeEach(async () => {
    core = await coreFixture();
  });
  afterEach(() => core[Symbol.asyncDispose]());
  const spec = (definition: object) => ({ context: "/orders-events", definition });
  const stored = async () => (await getResource(core.context, kindOf("AsyncApi"), "orders")).spec;

  test("is refused with the place of a channel that is not there", async () => {
    const error = await rejection(create(core, "AsyncApi", "orders", spec(leading("#/channels/gone"))));
    expect(error.code).toBe("resource.invalid");
    expect(error.issues).toMatchObject([{ path: "spec.definition.operations.tell.channel.$ref" }]);
  });

  test("is of AsyncAPI 3.0 where it does not say, and stays of 2.x where it does", async () => {
    await create(core, "AsyncApi", "orders", spec({ info, channels: {} }));
    expect(await stored()).toMatchObject({ definition: { asyncapi: "3.0.0" } });
    const older = { metadata: { name: "orders" }, spec: spec({ asyncapi: "2.6.0", info, channels: {} }) };
    await replaceResource(core.context, admin, kindOf("AsyncApi"), "orders", older, 1);
    expect(await stored()).toMatchObject({ definition: { asyncapi: "2.6.0" } });
  });

  test.each(["1.2.0", "4.0.0", "3.1"])("is refused as %s", async (asyncapi) => {
    const error = await rejection(create(core, "AsyncApi", "orders", spec({ asyncapi, info })));
    expect(error.issues).toMatchObject([{ path: "spec.definition.asyncapi" }]);
  });

  test("has a revision for each change that is published, and none for what is as it was", async () => {
    const publish = async () => (await publishApi(core.context, admin, kindOf("AsyncApi"), "orders")).revision;
    await create(core, "AsyncApi", "orders", spec(leading("#/channels/placed")));
    expect([await publish(), await publish()]).toEqual([1, 1]);
    const changed = { metadata: { name: "orders" }, spec: spec({ ...leading("#/channels/placed"), tags: [] }) };
    await replaceResource(core.context, admin, kindOf("AsyncApi"), "orders", changed, 1);
    expect(await publish()).toBe(2);
  });
});
