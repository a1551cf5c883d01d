import { expect, test } from "vitest";
import { limitSubjects } from "../../src/pipeline/limit-subject.ts";
import { buildExchange, buildOperation, keyHolder } from "../kit/exchange.ts";

const labelled = (department: string, own = false) =>
  buildExchange({
    labels: { department },
    principal: { ...keyHolder, ...(own && { labels: { department } }) },
  });

test("values of a label that callers make up share a counter beyond so many, and those before keep theirs", () => {
  const subjectOf = limitSubjects({ label: "department" }, 2);
  expect(["a", "b", "c", "d", "a"].map((name) => subjectOf(labelled(name)))).toEqual([
    "label_department=a",
    "label_department=b",
    "others_department",
    "others_department",
    "label_department=a",
  ]);
});

test("a value of the key's own always has a counter of its own", () => {
  const subjectOf = limitSubjects({ label: "department" }, 1);
  subjectOf(labelled("made-up"));
  expect(subjectOf(labelled("sales", true))).toBe("label_department=sales");
  expect(subjectOf(labelled("another"))).toBe("others_department");
});

test("names of models that callers make up share a counter beyond so many", () => {
  const subjectOf = limitSubjects("model", 1);
  const named = (name: string) => subjectOf(buildExchange(), buildOperation({ name }));
  expect([named("one"), named("two"), named("three"), named("one")]).toEqual([
    "model_one",
    "others_model",
    "others_model",
    "model_one",
  ]);
});

test("who is known by a key or an address is counted alone, however many there are", () => {
  const subjectOf = limitSubjects("key", 0);
  expect(subjectOf(buildExchange({ principal: keyHolder }))).toBe(keyHolder.keyId);
});
