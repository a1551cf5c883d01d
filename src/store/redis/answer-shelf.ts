import type { LRUCache } from "lru-cache";
import { z } from "zod";
import type { Clock } from "../../kernel/clock.ts";
import type { AnswerKeys, AnswerStore, KeptAnswer } from "../../pipeline/answer-keeping.ts";
import { answerNearness } from "../../pipeline/answer-nearness.ts";
import { findScript, listScript, putScript, readScript } from "./answer-scripts.ts";
import type { AnswerSeal, Packed } from "./answer-seal.ts";
import type { RedisScript } from "./run-script.ts";
import { redisScript } from "./run-script.ts";

/** What is compared of a question. */
export type Compared = Pick<NonNullable<AnswerKeys["alike"]>, "vectors" | "stems">;

export interface AnswerShelfParts {
  readonly place: string;
  readonly seal: AnswerSeal;
  readonly clock: Pick<Clock, "now">;
  /** What was read of questions by their members, under which it never changes. */
  readonly opened: LRUCache<string, Compared>;
  /** Runs a script of a place and API. */
  run(script: RedisScript, apiId: string, place: string, words: readonly string[]): Promise<unknown>;
}

/** The newest questions of a group that one is compared with. See the guide for what that takes. */
const mostCompared = 500;

/** What keeping an answer takes in Redis beside itself and its vectors. */
const entryBytes = 1_000;

/** Questions are read so many at a time, that opening them keeps nobody waiting. */
const readTogether = 100;

const scripts = {
  find: redisScript(findScript),
  list: redisScript(listScript),
  read: redisScript(readScript),
  put: redisScript(putScript),
};

/** Answers of one place, in Redis. */
export function createAnswerShelf(parts: AnswerShelfParts): Omit<AnswerStore, "release"> {
  const { place, seal, clock, run } = parts;
  const idOf = (exact: string): string => seal.nameOf(JSON.stringify([place, exact]));
  return {
    exact: ({ apiId, exact }, notBeforeMs) => findAnswer(parts, { apiId, id: idOf(exact), notBeforeMs, member: "" }),
    async nearest({ apiId, ...asked }, { threshold, notBeforeMs }) {
      const words = [seal.nameOf(asked.group), ageWord(notBeforeMs, clock.now()), String(mostCompared)];
      const members = membersSchema.parse(await run(scripts.list, apiId, place, words));
      const nearest = nearestOf(asked, await readCompared(parts, apiId, members), threshold);
      if (nearest === undefined) return undefined;
      const { member, score } = nearest;
      const id = member.slice(member.lastIndexOf(":") + 1);
      const { answer } = await findAnswer(parts, { apiId, id, notBeforeMs, member });
      return answer && { answer, score };
    },
    async put({ apiId, exact, generation, alike }, answer, bounds) {
      const { bytes, storedAtMs, expiresAtMs, ...head } = answer;
      const id = idOf(exact);
      const text = seal.close({ head, body: bytes }, id);
      const group = alike === undefined ? "" : seal.nameOf(alike.group);
      const compared = alike === undefined ? "" : seal.close(packed(alike), group);
      const size = entryBytes + text.length + compared.length;
      const numbers = [expiresAtMs - storedAtMs, bounds.entries, bounds.bytes, size].map(String);
      await run(scripts.put, apiId, place, [String(generation), id, text, ...numbers, group, compared]);
    },
  };
}

interface Sought {
  readonly apiId: string;
  readonly id: string;
  readonly notBeforeMs: number;
  readonly member: string;
}

async function findAnswer({ place, seal, clock, run }: AnswerShelfParts, { apiId, id, notBeforeMs, member }: Sought) {
  const words = [id, ageWord(notBeforeMs, clock.now()), member];
  const [generation, age = 0, left = 0, text = ""] = foundSchema.parse(await run(scripts.find, apiId, place, words));
  const opened = seal.open(text, id);
  const head = headSchema.safeParse(opened?.head).data;
  if (opened === undefined || head === undefined) return { generation, answer: undefined };
  const nowMs = clock.now();
  const answer = { ...head, bytes: opened.body, storedAtMs: nowMs - age, expiresAtMs: nowMs + left };
  return { generation, answer };
}

async function readCompared(
  { place, seal, opened, run }: AnswerShelfParts,
  apiId: string,
  members: readonly string[],
): Promise<ReadonlyMap<string, Compared>> {
  const known = new Map<string, Compared>();
  const unread: string[] = [];
  for (const member of members) {
    const compared = opened.get(member);
    if (compared === undefined) unread.push(member);
    else known.set(member, compared);
  }
  for (let at = 0; at < unread.length; at += readTogether) {
    const some = unread.slice(at, at + readTogether);
    const texts = textsSchema.parse(await run(scripts.read, apiId, place, some));
    for (const [index, member] of some.entries()) {
      const compared = unpacked(seal.open(texts[index] ?? "", member.split(":", 1)[0] ?? ""));
      if (compared === undefined) continue;
      opened.set(member, compared);
      known.set(member, compared);
    }
  }
  return known;
}

function nearestOf(asked: Compared, known: ReadonlyMap<string, Compared>, threshold: number) {
  let best: { readonly member: string; readonly score: number } | undefined;
  for (const [member, compared] of known) {
    const score = answerNearness(asked, compared, best?.score ?? threshold);
    if (score !== undefined && (best === undefined || score > best.score)) best = { member, score };
  }
  return best;
}

const membersSchema = z.array(z.string());
const textsSchema = z.array(z.string().nullable());
const number = z.coerce.number();
const foundSchema = z.union([
  z.tuple([number]).transform(([generation]): [number, number?, number?, string?] => [generation]),
  z.tuple([number, number, number, z.string()]),
]);
const headSchema: z.ZodType<Omit<KeptAnswer, "bytes" | "storedAtMs" | "expiresAtMs">> = z.strictObject({
  status: z.int(),
  headers: z.record(z.string(), z.string()),
  isStream: z.boolean(),
  inputTokens: z.number(),
  outputTokens: z.number(),
});
const alikeHeadSchema = z.strictObject({
  lengths: z.array(z.int().min(0)),
  stems: z.array(z.string()).optional(),
});

function ageWord(notBeforeMs: number, nowMs: number): string {
  if (notBeforeMs <= 0) return "any";
  return Number.isFinite(notBeforeMs) ? String(Math.max(0, nowMs - notBeforeMs)) : "none";
}

function packed({ vectors, stems }: Compared): Packed {
  const body = Buffer.concat(vectors.map((each) => Buffer.from(each.buffer, each.byteOffset, each.byteLength)));
  return { head: { lengths: vectors.map(({ length }) => length), stems }, body };
}

function unpacked(given: Packed | undefined): Compared | undefined {
  const head = alikeHeadSchema.safeParse(given?.head).data;
  if (given === undefined || head === undefined) return undefined;
  const bytes = Uint8Array.from(given.body).buffer; // from its own beginning, as numbers of four bytes need it
  let at = 0;
  const vectors = head.lengths.map((length) => {
    at += length * 4;
    return new Float32Array(bytes, at - length * 4, length);
  });
  return { vectors, ...(head.stems !== undefined && { stems: head.stems }) };
}
