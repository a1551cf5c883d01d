import type { TextSpan } from "../../pipeline/define-guardrail.ts";
import type { Exchange, Operation } from "../../pipeline/exchange.ts";

/** Which part of a request a route is chosen by. */
export interface TextChoice {
  /** The user's last turns, so many. */
  readonly turns: number;
  readonly includeSystem: boolean;
}

/** Characters at most; of a longer text the end counts, where the question stands. */
const mostCharacters = 4_000;

/** What the user has said last, as one text, in any protocol that tells who speaks; empty where nobody said anything. */
export function conversationText(exchange: Exchange, operation: Operation, choice: TextChoice): string {
  const spans = exchange.api.adapter.requestSpans(operation);
  const said = spans.filter(({ author }) => author === "user");
  const turns = [...new Set(said.map(turnOf))].slice(-choice.turns);
  const kept = said.filter((span) => turns.includes(turnOf(span)));
  const system = choice.includeSystem ? spans.filter(isSystemText) : [];
  const text = [...system, ...kept].map((span) => span.text).join("\n");
  return text.length <= mostCharacters ? text : text.slice(-mostCharacters);
}

/** Where a turn begins in the names of places: `messages[3].content[0].text` is of `messages[3]`. */
function turnOf({ place }: TextSpan): string {
  return /^[^\].]*\]?/.exec(place)?.[0] ?? place;
}

/** Tools and schemas are told by the system too, and are no talk. */
function isSystemText({ author, place }: TextSpan): boolean {
  return author === "system" && /^(?:messages|input|system|instructions)\b/.test(place);
}
