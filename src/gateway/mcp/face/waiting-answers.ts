import type { Cancellation } from "../../../kernel/cancellation.ts";
import type { McpReply } from "../../../mcp/backend.ts";
import type { JsonRpcId } from "../../../mcp/wire/json-rpc.ts";
import type { Question } from "./face-call.ts";

/** Questions that went to clients on the streams of their calls, until an answer is POSTed back. */
export interface WaitingAnswers {
  /** The id under which the question goes out. `answer` is called once at most. */
  expect(owner: string, session: string, answer: (reply: McpReply) => void): string;
  /** Brings the answer to whoever waits for it; false when nobody here does. */
  take(owner: string, session: string, id: JsonRpcId, reply: McpReply): boolean;
  /** Nobody waits any more. */
  forget(owner: string, session: string, id: string): void;
}

/** Those of this process: an answer must come back to the process that asked. */
export function createWaitingAnswers(): WaitingAnswers {
  const waiting = new Map<string, (reply: McpReply) => void>();
  let lastId = 0;
  const keyOf = (owner: string, session: string, id: JsonRpcId): string => JSON.stringify([owner, session, id]);
  return {
    expect(owner, session, answer) {
      lastId += 1;
      const id = `gatehouse-${lastId}`;
      waiting.set(keyOf(owner, session, id), answer);
      return id;
    },
    take(owner, session, id, reply) {
      const key = keyOf(owner, session, id);
      const answer = waiting.get(key);
      waiting.delete(key);
      answer?.(reply);
      return answer !== undefined;
    },
    forget(owner, session, id) {
      waiting.delete(keyOf(owner, session, id));
    },
  };
}

/** The question as a request with an id of the gateway's, so that no two of them meet. */
export function questionMessage(
  answers: WaitingAnswers,
  owner: string,
  session: string,
  { call, answer }: Question,
  cancellation: Cancellation,
): object {
  const id = answers.expect(owner, session, answer);
  cancellation.listen({ onCancel: () => answers.forget(owner, session, id) });
  return { jsonrpc: "2.0", id, ...call };
}
