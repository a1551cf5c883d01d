import { beforeEach, describe, expect, test } from "vitest";
import type { FeedCopy, FeedTold } from "../../src/core/gateway-feed.ts";
import type { ControlClient } from "../../src/gateway/control-client.ts";
import { createControlClient } from "../../src/gateway/control-client.ts";
import { GatewayError } from "../../src/kernel/errors.ts";
import { eventually } from "../kit/eventually.ts";
import { memoryLog } from "../kit/gatehouse.ts";
import { manualClock } from "../kit/manual-clock.ts";

const hour = 3_600_000;
const pepper = { id: "p", key: "00".repeat(32) };

function told(version: string, type: FeedTold["answer"]["type"] = "changes"): FeedTold {
  return { answer: { format: 1, type, version, messages: [] }, secrets: { pepper } };
}

let hand: ReturnType<typeof manualClock>;
let log: ReturnType<typeof memoryLog>;
/** What the control plane answers next; a fault rejects. The last one stays. */
let answers: (FeedTold | undefined | GatewayError)[];
let asked: (string | undefined)[];
let stale: boolean[];
let copy: FeedCopy & { readonly calls: string[]; kept: Awaited<ReturnType<FeedCopy["load"]>> };
let client: ControlClient;

const away = new GatewayError("upstream.unreachable", "The upstream cannot be reached.");

beforeEach(() => {
  hand = manualClock();
  log = memoryLog();
  answers = [told("a.1", "whole")];
  asked = [];
  stale = [];
  const calls: string[] = [];
  copy = {
    calls,
    kept: undefined,
    load: async () => copy.kept,
    replace: async ({ answer }) => void calls.push(`replace ${answer.version}`),
    append: async ({ answer }) => void calls.push(`append ${answer.version}`),
    heard: async () => void calls.push("heard"),
  };
  client = createControlClient({
    calls: {
      async ask(version) {
        asked.push(version);
        const answer = answers.length > 1 ? answers.shift() : answers[0];
        if (answer instanceof GatewayError) throw answer;
        return answer;
      },
    },
    copy,
    clock: hand,
    log,
    pollMs: 500,
    staleAfterMs: 72 * hour,
    onStale: (next) => void stale.push(next),
  });
});

async function advanceUntilAsked(count: number, ms: number): Promise<void> {
  hand.advance(ms);
  await eventually(`question ${count}`, () => asked.length >= count);
  await new Promise((resolve) => setImmediate(resolve)); // the turn in which the answer is taken
}

describe("a client of the control plane", () => {
  test("begins with everything, then asks for what has come since and keeps both", async () => {
    expect(await client.first()).toEqual([told("a.1", "whole")]);
    answers = [told("a.2"), undefined];
    const taken: string[] = [];
    client.follow(({ answer }) => taken.push(answer.version));
    await eventually("it is taken", () => taken.length === 1);
    await advanceUntilAsked(3, 500);
    expect(asked).toEqual([undefined, "a.1", "a.2"]);
    expect(taken).toEqual(["a.2"]);
    expect(copy.calls).toEqual(["replace a.1", "append a.2"]);
  });

  test("a pointer makes it ask at once, and one that comes meanwhile makes it ask once more", async () => {
    await client.first();
    answers = [undefined];
    client.follow(() => {});
    await eventually("asked", () => asked.length === 2);
    await new Promise((resolve) => setImmediate(resolve));
    client.nudge();
    client.nudge();
    await new Promise((resolve) => setImmediate(resolve));
    await advanceUntilAsked(4, 0);
    expect(asked).toHaveLength(4);
  });

  test("begins with the copy when the control plane is away, and asks for what has come since", async () => {
    copy.kept = { told: [told("b.1", "whole"), told("b.2")], heardAtMs: hand.now() - 10 * hour };
    answers = [away];
    expect(await client.first()).toHaveLength(2);
    answers = [told("b.3")];
    const taken: string[] = [];
    client.follow(({ answer }) => taken.push(answer.version));
    await eventually("it is taken", () => taken.length > 0);
    expect(asked).toEqual([undefined, "b.2"]);
  });

  test("refuses a copy that is older than it may be", async () => {
    copy.kept = { told: [told("b.1", "whole")], heardAtMs: hand.now() - 73 * hour };
    answers = [away];
    await expect(client.first()).rejects.toMatchObject({ code: "config.invalid" });
  });

  test("says when what it has is too old, counting from what the copy has heard, and when it is good again", async () => {
    copy.kept = { told: [told("b.1", "whole")], heardAtMs: hand.now() - 70 * hour };
    answers = [away];
    await client.first();
    client.follow(() => {});
    await eventually("asked", () => asked.length === 2);
    hand.advance(2 * hour - 1);
    expect(stale).toEqual([]);
    hand.advance(1);
    expect(stale).toEqual([true]);
    answers = [undefined];
    client.nudge();
    await eventually("it is good again", () => {
      hand.advance(1); // a question was on its way when the pointer came
      return stale.length === 2;
    });
    expect(stale).toEqual([true, false]);
    expect(log.lines.filter(({ message }) => message.startsWith("the control plane is away"))).toHaveLength(1);
  });

  test("waits for a control plane that starts later when there is no copy, but not after it has refused the token", async () => {
    answers = [away, away, told("a.1", "whole")];
    expect(await client.first()).toHaveLength(1);
    answers = [new GatewayError("auth.invalid_credentials", "The token was revoked.")];
    await expect(client.first()).rejects.toMatchObject({
      code: "config.invalid",
      message: expect.stringMatching(/revoked/),
    });
  });

  test("a copy that cannot be written costs no change, and everything is kept anew next time", async () => {
    await client.first();
    copy.append = async () => {
      throw new Error("no space left");
    };
    answers = [told("a.2"), told("a.3", "whole"), undefined];
    const taken: string[] = [];
    client.follow(({ answer }) => taken.push(answer.version));
    await eventually("it is taken", () => taken.length === 1);
    await advanceUntilAsked(3, 500);
    expect(taken).toEqual(["a.2", "a.3"]);
    expect(asked).toEqual([undefined, "a.1", undefined]);
    expect(copy.calls).toEqual(["replace a.1", "replace a.3"]);
  });

  test("asks less often while nobody answers, and never after it was disposed", async () => {
    await client.first();
    answers = [away];
    client.follow(() => {});
    await eventually("asked", () => asked.length === 2);
    await new Promise((resolve) => setImmediate(resolve));
    hand.advance(999);
    expect(asked).toHaveLength(2);
    await advanceUntilAsked(3, 1);
    client[Symbol.dispose]();
    hand.advance(100_000);
    client.nudge();
    expect(asked).toHaveLength(3);
  });
});
