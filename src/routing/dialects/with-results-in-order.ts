import type { ChatPart, ChatTurn } from "./chat-request.ts";

/**
 * The turns with the results of one turn's calls in one turn too, in the order of the calls: where a provider goes by
 * the order, or wants all results in one message.
 */
export function withResultsInOrder(turns: readonly ChatTurn[]): readonly ChatTurn[] {
  const ordered: ChatTurn[] = [];
  let order: readonly string[] = [];
  for (const turn of turns) {
    const last = ordered.at(-1);
    if (turn.role === "assistant") order = turn.parts.flatMap((part) => (part.type === "tool-call" ? [part.id] : []));
    if (turn.role !== "tool") ordered.push(turn);
    else if (last?.role === "tool")
      ordered.splice(-1, 1, { ...last, parts: sorted([...last.parts, ...turn.parts], order) });
    else ordered.push({ ...turn, parts: sorted(turn.parts, order) });
  }
  return ordered;
}

function sorted(parts: readonly ChatPart[], order: readonly string[]): readonly ChatPart[] {
  const placeOf = (part: ChatPart): number => {
    const place = part.type === "tool-result" ? order.indexOf(part.callId) : -1;
    return place < 0 ? order.length : place;
  };
  return parts.toSorted((left, right) => placeOf(left) - placeOf(right));
}
