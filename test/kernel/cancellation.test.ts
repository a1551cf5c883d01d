import { describe, expect, test } from "vitest";
import { Cancellation, cancellationOf } from "../../src/kernel/cancellation.ts";

function listening(cancellation: Cancellation, name: string, heard: string[]) {
  const listener = { onCancel: (reason: unknown) => void heard.push(`${name}: ${String(reason)}`) };
  cancellation.listen(listener);
  return listener;
}

describe("a cancellation", () => {
  test("tells each listener once, in the order in which they came, and keeps the first reason", () => {
    const cancellation = new Cancellation();
    const heard: string[] = [];
    for (const name of ["first", "second", "third"]) listening(cancellation, name, heard);
    cancellation.cancel("gone");
    cancellation.cancel("again");
    expect(heard).toEqual(["first: gone", "second: gone", "third: gone"]);
    expect([cancellation.isCancelled, cancellation.reason]).toEqual([true, "gone"]);
  });

  test("does not tell those who no longer listen, whichever they were", () => {
    const cancellation = new Cancellation();
    const heard: string[] = [];
    const listeners = ["first", "second", "third"].map((name) => listening(cancellation, name, heard));
    for (const at of [0, 2]) cancellation.ignore(listeners[at] ?? { onCancel: () => undefined });
    listening(cancellation, "late", heard);
    cancellation.cancel("gone");
    expect(heard.toSorted()).toEqual(["late: gone", "second: gone"]);
  });

  test("takes no listener once it is over", () => {
    const cancellation = new Cancellation();
    const heard: string[] = [];
    cancellation.cancel("gone");
    listening(cancellation, "late", heard);
    cancellation.cancel("again");
    expect(heard).toEqual([]);
  });

  test.each([
    ["before", true],
    ["after", false],
  ])("is a standard signal for whoever asks for one %s its end", (_name, early) => {
    const cancellation = new Cancellation();
    const signal = early ? cancellation.signal : undefined;
    const reason = new Error("gone");
    cancellation.cancel(reason);
    const seen = signal ?? cancellation.signal;
    expect([seen.aborted, seen.reason]).toEqual([true, reason]);
    expect(cancellation.signal).toBe(seen);
  });

  test("follows a standard signal, also one that was aborted before", () => {
    const controller = new AbortController();
    const follows = cancellationOf(controller.signal);
    expect(follows.isCancelled).toBe(false);
    controller.abort("gone");
    expect([follows.isCancelled, follows.reason]).toEqual([true, "gone"]);
    expect(cancellationOf(controller.signal).reason).toBe("gone");
  });
});

describe("listeners that interfere", () => {
  test("one that throws keeps neither the others nor the signal from hearing; its error rises after them", () => {
    const cancellation = new Cancellation();
    const heard: string[] = [];
    const { signal } = cancellation;
    cancellation.listen({
      onCancel() {
        throw new Error("broken");
      },
    });
    listening(cancellation, "second", heard);
    expect(() => cancellation.cancel("gone")).toThrow("broken");
    expect([heard, signal.aborted]).toEqual([["second: gone"], true]);
  });

  test("one that another takes off meanwhile is not told", () => {
    const cancellation = new Cancellation();
    const heard: string[] = [];
    cancellation.listen({ onCancel: () => cancellation.ignore(second) });
    const second = listening(cancellation, "second", heard);
    cancellation.cancel("gone");
    expect(heard).toEqual([]);
  });
});
