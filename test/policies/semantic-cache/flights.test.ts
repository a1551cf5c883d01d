import { expect, test } from "vitest";
import { Cancellation } from "../../../src/kernel/cancellation.ts";
import type { KeptAnswer } from "../../../src/pipeline/answer-keeping.ts";
import type { Flight, Flights } from "../../../src/policies/semantic-cache/flights.ts";
import { createFlights } from "../../../src/policies/semantic-cache/flights.ts";
import { manualClock } from "../../kit/manual-clock.ts";

const answer: KeptAnswer = {
  status: 200,
  headers: {},
  isStream: false,
  bytes: Buffer.from("{}"),
  storedAtMs: 0,
  expiresAtMs: 1,
  inputTokens: 1,
  outputTokens: 1,
};

function lead(flights: Flights, key = "a"): Flight {
  const flight = flights.join(key, new Cancellation());
  if (flight instanceof Promise) throw new Error("somebody else leads");
  return flight;
}

async function wait(flights: Flights, cancellation = new Cancellation()) {
  const waited = flights.join("a", cancellation);
  if (!(waited instanceof Promise)) throw new Error("nobody leads");
  return waited;
}

const bounds = { deadlineMs: 1_000, waiters: 2 };

test("those who wait get the answer, and so does who comes before the flight has ended", async () => {
  const flights = createFlights(bounds, manualClock());
  const flight = lead(flights);
  const waiting = [wait(flights), wait(flights)];
  flight.land(answer);
  flight.land(undefined);
  expect(await Promise.all([...waiting, wait(flights)])).toEqual([answer, answer, answer]);
  flight.end();
  expect(lead(flights)).toBeDefined();
});

test("where no answer may be shared those who wait are told, and who comes then leads", async () => {
  const flights = createFlights(bounds, manualClock());
  const flight = lead(flights);
  const waiting = wait(flights);
  flight.land(undefined);
  const next = lead(flights);
  flight.end(); // which takes nothing from the other
  const other = wait(flights);
  next.land(answer);
  expect([await waiting, await other]).toEqual(["unshared", answer]);
});

test("nobody waits beyond the deadline or joins a flight that is older", async () => {
  const clock = manualClock();
  const flights = createFlights(bounds, clock);
  const lost = lead(flights); // which never lands
  clock.advance(600);
  const waiting = wait(flights);
  clock.advance(400);
  const flight = lead(flights);
  clock.advance(600);
  expect(await waiting).toBe("late");
  lost.end();
  const other = wait(flights);
  flight.land(answer);
  expect(await other).toBe(answer);
});

test("more than may wait are sent on, until one of them has left", async () => {
  const flights = createFlights(bounds, manualClock());
  const flight = lead(flights);
  const leaving = new Cancellation();
  const waiting = [wait(flights), wait(flights, leaving)];
  expect(await wait(flights)).toBe("crowded");
  leaving.cancel(new Error("left"));
  expect(await waiting[1]).toBe("late");
  const third = wait(flights);
  flight.land(answer);
  expect([await waiting[0], await third]).toEqual([answer, answer]);
});

test("who has left before does not wait", async () => {
  const flights = createFlights(bounds, manualClock());
  lead(flights);
  const gone = new Cancellation();
  gone.cancel(new Error("left"));
  expect(await wait(flights, gone)).toBe("late");
});

test("other questions are other flights", () => {
  const flights = createFlights(bounds, manualClock());
  expect([lead(flights, "a"), lead(flights, "b")]).toHaveLength(2);
});
