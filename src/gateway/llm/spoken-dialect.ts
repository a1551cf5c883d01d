import type { CompiledProvider, DialectId } from "../../pipeline/define-provider.ts";
import type { ChatDelta } from "../../routing/dialects/chat-answer.ts";
import type { DeltaReader, UpstreamDialect, WireEvent } from "../../routing/dialects/dialect.ts";
import { upstreamDialects } from "../../routing/dialects/index.ts";

/** A dialect as that provider speaks it: with usage in places of its own, where it has such. */
export function spokenDialect(provider: CompiledProvider, id: DialectId): UpstreamDialect {
  const dialect = upstreamDialects[id];
  if (provider.tellsUsageElsewhere === undefined) return dialect;
  const usage = provider.usage.bind(provider);
  return {
    ...dialect,
    usage,
    readAnswer(body) {
      const answer = dialect.readAnswer(body);
      return { ...answer, usage: usage(body) ?? answer.usage };
    },
    deltaReader: () => withUsage(dialect.deltaReader(), usage),
  };
}

function withUsage(reader: DeltaReader, usage: CompiledProvider["usage"]): DeltaReader {
  return {
    get isDone() {
      return reader.isDone;
    },
    read(event: WireEvent): readonly ChatDelta[] {
      const deltas = reader.read(event);
      const told = usage(event.data);
      return told === undefined
        ? deltas
        : [...deltas.filter(({ type }) => type !== "usage"), { type: "usage", usage: told }];
    },
    end: () => reader.end(),
  };
}
