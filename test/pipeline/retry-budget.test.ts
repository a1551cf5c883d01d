import fc from "fast-check";
import { expect, test } from "vitest";
import { createRetryBudget } from "../../src/pipeline/retry-budget.ts";

test("whatever comes, no more tries are made than what was saved at first and what requests have earned", () => {
  const steps = fc.array(fc.constantFrom("request", "client retry", "retry"), { maxLength: 300 });
  const settings = fc.record({ share: fc.double({ min: 0, max: 1, noNaN: true }), burst: fc.nat(20) });
  fc.assert(
    fc.property(steps, settings, (list, { share, burst }) => {
      const budget = createRetryBudget({ share, burst });
      let made = 0;
      for (const step of list) {
        if (step === "retry") made += budget.take() ? 1 : 0;
        else budget.arrived(step === "client retry");
      }
      const earned = list.filter((step) => step === "request").length * share;
      expect(made).toBeLessThanOrEqual(burst + earned + 1e-9);
    }),
  );
});

test("requests earn their share of a try, up to the burst, and a client's own retries earn nothing", () => {
  const budget = createRetryBudget({ share: 0.5, burst: 1 });
  expect([budget.take(), budget.take()]).toEqual([true, false]);
  budget.arrived(true);
  budget.arrived(true);
  expect(budget.take()).toBe(false);
  for (let request = 0; request < 9; request += 1) budget.arrived(false);
  expect([budget.take(), budget.take()]).toEqual([true, false]);
});
