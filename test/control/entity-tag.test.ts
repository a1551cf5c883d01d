import fc from "fast-check";
import { expect, test } from "vitest";
import { entityTag, expectedVersion } from "../../src/control/entity-tag.ts";
import { GatewayError } from "../../src/kernel/errors.ts";

const current = async (): Promise<number> => 7;

test.each([
  { name: "a tag of ours", header: '"3"', version: 3 },
  { name: "spaces around it", header: ' "3" ', version: 3 },
  { name: "any version", header: "*", version: 7 },
  { name: "a list with the current one", header: '"3", "7"', version: 7 },
  { name: "a list without it", header: '"3", "4"', version: 3 },
  { name: "a list with a tag of somebody else", header: '"abc", "4"', version: 4 },
])("If-Match with $name gives a version to compare", async ({ header, version }) => {
  expect(await expectedVersion(header, current)).toBe(version);
});

test.each([
  { name: "no header", header: undefined, code: "resource.precondition_required" },
  { name: "a weak tag, which never matches strongly", header: 'W/"3"', code: "resource.changed" },
  { name: "a tag that is no version", header: '"abc"', code: "resource.changed" },
  { name: "a number without quotes", header: "3", code: "request.invalid" },
  { name: "an empty header", header: "", code: "request.invalid" },
])("If-Match with $name is refused", async ({ header, code }) => {
  const error = await expectedVersion(header, current).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(GatewayError);
  expect(error).toMatchObject({ code });
});

test("the tag of a version names that version again", async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 2 ** 48 }), async (version) => {
      expect(await expectedVersion(entityTag(version), current)).toBe(version);
    }),
  );
});
