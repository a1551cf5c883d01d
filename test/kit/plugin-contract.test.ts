import { expect, test } from "vitest";
import { z } from "zod";
import { faultsOf } from "./plugin-contract.ts";

test("an option without a bound, a title or a description is found at any depth", () => {
  const config = z.strictObject({
    named: z.string().max(3).meta({ title: "T", description: "D" }),
    bare: z.string().max(3),
    deep: z
      .array(z.strictObject({ count: z.int().meta({ title: "T", description: "D" }) }))
      .meta({ title: "T", description: "D" }),
    long: z.string().meta({ title: "T", description: "D" }),
  });
  expect(faultsOf(z.toJSONSchema(config, { io: "input" }), "config")).toEqual([
    "config.bare lacks a title or a description",
    "config.deep has no most items",
    "config.deep[].count has no maximum",
    "config.long has no most length",
  ]);
});
