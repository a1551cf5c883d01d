import type { Environment } from "../../core/environment.ts";
import type { McpDefinition, PinKind } from "../../core/mcp-definition.ts";
import { definitionHash, definitionOf } from "../../core/mcp-definition.ts";
import type { McpPinSettings } from "../../core/mcp-pin-settings.ts";
import type { GatewayReport, McpPinRecord, McpSighting, PlaneMessage } from "../../core/plane-message.ts";

/** Whose definitions are looked at, and how strictly. */
export interface PinPlace {
  readonly apiId: string;
  readonly environment: Environment;
  readonly settings: McpPinSettings;
}

/** What a gateway knows of pins: what was approved, and what it has seen itself, which counts at once. */
export interface PinBoard {
  /** Takes pins over from the control plane; other messages mean nothing here. */
  apply(message: PlaneMessage): void;
  /** Looks at entries of a list as the server gave them; tells for each whether it may be shown. Reports what is news. */
  look(place: PinPlace, kind: PinKind, entries: readonly McpDefinition[]): readonly boolean[];
  /** Whether it may be used: not while its last known definition waits for an approval. */
  mayUse(place: PinPlace, kind: PinKind, name: string): boolean;
}

interface Pin {
  approvedHash: string | null;
  /** The last that the control plane knows of. */
  toldHash: string | undefined;
  /** The last that was seen here, or by another gateway. */
  seenHash: string;
}

const by: Readonly<Record<PinKind, string>> = {
  tool: "name",
  prompt: "name",
  resource: "uri",
  template: "uriTemplate",
  instructions: "kind",
};

/** An empty board; `report` is called with what the control plane does not know yet, and again after it has failed. */
export function createPinBoard(report: (told: GatewayReport) => Promise<void>): PinBoard {
  const pins = new Map<string, Pin>();
  const take = ({ apiId, environment, kind, name, approvedHash, seenHash }: McpPinRecord): void => {
    pins.set(keyOf(apiId, environment, kind, name), { approvedHash, toldHash: seenHash, seenHash });
  };
  const send = (place: PinPlace, seen: readonly McpSighting[]): void => {
    const { apiId, environment } = place;
    for (let from = 0; from < seen.length; from += atOnce) {
      const part = seen.slice(from, from + atOnce);
      report({ type: "mcp.seen", apiId, environment, seen: part }).catch(() => {
        for (const { kind, name } of part) {
          const pin = pins.get(keyOf(apiId, environment, kind, name));
          if (pin !== undefined) pin.toldHash = undefined;
        }
      });
    }
  };
  return {
    apply(message) {
      if (message.type === "mcp-pins") pins.clear();
      if (message.type === "mcp-pins" || message.type === "mcp-pins.put") for (const each of message.pins) take(each);
    },
    look(place, kind, entries) {
      const news: McpSighting[] = [];
      const shown = entries.map((entry) => {
        const name = entry[by[kind]];
        if (typeof name !== "string") return true;
        const definition = definitionOf(kind, entry);
        const hash = definitionHash(definition);
        const key = keyOf(place.apiId, place.environment, kind, name);
        const pin = pins.get(key) ?? {
          approvedHash: place.settings.onNew === "allow" ? hash : null,
          toldHash: undefined,
          seenHash: hash,
        };
        pins.set(key, pin);
        pin.seenHash = hash;
        if (pin.toldHash !== hash) news.push({ kind, name, definition });
        pin.toldHash = hash;
        return place.settings.mode !== "quarantine" || pin.approvedHash === hash;
      });
      if (news.length > 0) send(place, news);
      return shown;
    },
    mayUse({ apiId, environment, settings }, kind, name) {
      if (settings.mode !== "quarantine") return true;
      const pin = pins.get(keyOf(apiId, environment, kind, name));
      return pin === undefined ? settings.onNew === "allow" : pin.approvedHash === pin.seenHash;
    },
  };
}

const atOnce = 200;

function keyOf(...parts: readonly string[]): string {
  return parts.join("\n");
}
