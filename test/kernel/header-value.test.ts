import { expect, test } from "vitest";
import { GatewayError } from "../../src/kernel/errors.ts";
import { headerValue } from "../../src/kernel/header-value.ts";

test.each([
  ["as it is", "sk-abc", "sk-abc"],
  ["without the line break at the end of a file", "sk-abc\r\n", "sk-abc"],
  ["with a scheme inside", " Basic abc== ", "Basic abc=="],
])("a secret goes into a header %s", (_name, secret, value) => {
  expect(headerValue(secret, "far")).toBe(value);
});

test.each(["", " \n", "a\nx-admin: yes", "a\u0000", "schlüssel"])("%j is refused, and not quoted", (secret) => {
  let thrown: unknown;
  try {
    headerValue(secret, "far");
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(GatewayError);
  expect(thrown).toMatchObject({ code: "config.invalid", detail: expect.stringContaining("far") as string });
  if (secret.trim() !== "") expect(JSON.stringify(thrown)).not.toContain(secret);
});
