import { expect, test } from "vitest";
import type { LabelSources } from "../../src/core/limit-labels.ts";
import { setLabels } from "../../src/pipeline/exchange-labels.ts";
import { buildExchange, keyHolder } from "../kit/exchange.ts";

interface Parts {
  readonly own?: Record<string, string>;
  readonly claims?: Record<string, unknown>;
  readonly headers?: Record<string, string>;
  readonly sources?: Partial<LabelSources>;
}

function labelsOf({ own, claims, headers = {}, sources }: Parts) {
  const principal = { ...keyHolder, labels: own, ...(claims && { claims }) };
  const exchange = buildExchange({ principal, inbound: { headers } });
  const labels = sources && { fromClaims: {}, fromHeaders: {}, ...sources };
  const labelled = { ...exchange, snapshot: { ...exchange.snapshot, labels } };
  setLabels(labelled);
  return labelled.labels;
}

test.each<{ name: string; parts: Parts; expected: object }>([
  { name: "nothing is allowed: the key's own", parts: { own: { a: "1" }, headers: { b: "2" } }, expected: { a: "1" } },
  {
    name: "a claim is named: its value",
    parts: { claims: { dept: "sales" }, sources: { fromClaims: { department: "dept" } } },
    expected: { department: "sales" },
  },
  {
    name: "a path of claims is named: the value at its end",
    parts: { claims: { org: { unit: 7 } }, sources: { fromClaims: { unit: "org.unit" } } },
    expected: { unit: "7" },
  },
  {
    name: "a header is allowed: its value, and no other header's",
    parts: { headers: { "x-project": " apollo ", "x-team": "x" }, sources: { fromHeaders: { project: "X-Project" } } },
    expected: { project: "apollo" },
  },
  {
    name: "a header would change the key's own label: the key's",
    parts: { own: { team: "a" }, headers: { "x-team": "b" }, sources: { fromHeaders: { team: "x-team" } } },
    expected: { team: "a" },
  },
  {
    name: "a claim is no plain value, absent, empty or inherited: none",
    parts: {
      claims: { list: ["a"], map: {}, empty: "", nothing: null },
      sources: { fromClaims: { a: "list", b: "map", c: "empty", d: "nothing", e: "absent", f: "constructor.name" } },
    },
    expected: {},
  },
])("the labels of an exchange where $name", ({ parts, expected }) => {
  expect(labelsOf(parts)).toEqual(expected);
});

test("labels are ten at most, and a value is cut at 100 characters", () => {
  const many = Object.fromEntries(Array.from({ length: 9 }, (_, at) => [`own${at}`, "x"]));
  const headers = { "x-a": "a".repeat(10_000), "x-b": "b" };
  const labels = labelsOf({ own: many, headers, sources: { fromHeaders: { a: "x-a", b: "x-b" } } });
  expect(Object.keys(labels)).toHaveLength(10);
  expect(labels["a"]).toBe("a".repeat(100));
});
