import type { Environment } from "../../core/environment.ts";
import type { McpDefinition, PinKind } from "../../core/mcp-definition.ts";
import { definitionHash, definitionOf } from "../../core/mcp-definition.ts";
import type { McpPinSettings } from "../../core/mcp-pin-settings.ts";
import type { GatewayReport, McpPinRecord, McpSighting, PlaneMessage } from "../../core/plane-message.ts";
import { createQuarantine } from "./quarantine.ts";

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
  /** Whether it may be used: not while its last known definition waits for an approval, or rules keep it in quarantine. */
  mayUse(place: PinPlace, kind: PinKind, name: string): boolean;
  /** Whether rules keep it in quarantine. */
  isHeld(place: Pick<PinPlace, "apiId">, kind: PinKind, name: string): boolean;
  /** The hash of its last known definition. */
  hashOf(place: Pick<PinPlace, "apiId" | "environment">, kind: PinKind, name: string): string | undefined;
  /** Tells everybody that all lists of the place have just been looked at, so that no other gateway need do it. */
  refreshed(place: PinPlace): void;
  /** Calls when another gateway, or this one, has looked at all lists of the place. The result ends it. */
  onRefreshed(place: Pick<PinPlace, "apiId" | "environment">, call: () => void): () => void;
}

interface Pin {
  approvedHash: string | null;
  /** The last that the control plane knows of. */
  toldHash: string | undefined;
  /** The last that was seen here, or by another gateway. */
  seenHash: string;
  /** The definition as it came when it had that hash: the same text need not be hashed again. */
  text: string | undefined;
}

const by: Readonly<Record<PinKind, string>> = {
  tool: "name",
  prompt: "name",
  resource: "uri",
  template: "uriTemplate",
  instructions: "kind",
};

/** Definitions of one server and environment that are known; what is beyond is not told, and held back in quarantine. */
const mostPins = 10_000;
/** A longer definition is told, and kept, by its hash alone. */
const longestDefinition = 262_144;

/** An empty board; `report` is called with what the control plane does not know yet, and again after it has failed. */
export function createPinBoard(report: (told: GatewayReport) => Promise<void>): PinBoard {
  const places = new Map<string, Map<string, Pin>>();
  const waiting = new Map<string, Set<() => void>>();
  const quarantine = createQuarantine();
  const isHeld = ({ apiId }: Pick<PinPlace, "apiId">, kind: PinKind, name: string): boolean =>
    quarantine.has(apiId, kind, name);
  const pinsOf = ({ apiId, environment }: Pick<PinPlace, "apiId" | "environment">): Map<string, Pin> => {
    const key = keyOf(apiId, environment);
    const pins = places.get(key) ?? new Map<string, Pin>();
    places.set(key, pins);
    return pins;
  };
  const take = (record: McpPinRecord): void => {
    const { kind, name, approvedHash, seenHash } = record;
    const pins = pinsOf(record);
    const before = pins.get(keyOf(kind, name));
    const text = before?.seenHash === seenHash ? before.text : undefined;
    pins.set(keyOf(kind, name), { approvedHash, toldHash: seenHash, seenHash, text });
  };
  const send = (place: PinPlace, seen: readonly McpSighting[]): void => {
    const { apiId, environment } = place;
    report({ type: "mcp.seen", apiId, environment, seen }).catch(() => {
      for (const { kind, name } of seen) {
        const pin = pinsOf(place).get(keyOf(kind, name));
        if (pin !== undefined) pin.toldHash = undefined;
      }
    });
  };
  return {
    apply(message) {
      if (message.type === "mcp-pins") places.clear();
      if (message.type === "mcp-pins" || message.type === "mcp-pins.put") for (const each of message.pins) take(each);
      quarantine.apply(message);
      if (message.type === "mcp-pins.checked") {
        for (const call of waiting.get(keyOf(message.apiId, message.environment)) ?? []) call();
      }
    },
    look(place, kind, entries) {
      const pins = pinsOf(place);
      const news: McpSighting[] = [];
      const shown = entries.map((entry) => {
        const name = entry[by[kind]];
        if (typeof name !== "string") return true;
        const pin = seen(pins, place, kind, name, definitionOf(kind, entry));
        if (pin === undefined) return place.settings.mode !== "quarantine" && !isHeld(place, kind, name);
        if (pin.toldHash !== pin.seenHash) news.push({ kind, name, definition: told(kind, name, pin, entry) });
        pin.toldHash = pin.seenHash;
        return (
          (place.settings.mode !== "quarantine" || pin.approvedHash === pin.seenHash) && !isHeld(place, kind, name)
        );
      });
      for (const part of inParts(news)) send(place, part);
      return shown;
    },
    mayUse(place, kind, name) {
      const { mode, onNew } = place.settings;
      if (isHeld(place, kind, name)) return false;
      if (mode !== "quarantine") return true;
      const pins = pinsOf(place);
      const pin = pins.get(keyOf(kind, name));
      return pin === undefined ? onNew === "allow" && pins.size < mostPins : pin.approvedHash === pin.seenHash;
    },
    isHeld,
    hashOf: ({ apiId, environment }, kind, name) =>
      places.get(keyOf(apiId, environment))?.get(keyOf(kind, name))?.seenHash,
    refreshed({ apiId, environment }) {
      // Nobody hears of it while the control plane is away: then each gateway looks for itself.
      report({ type: "mcp.seen", apiId, environment, seen: [], isRefresh: true }).catch(() => undefined);
    },
    onRefreshed({ apiId, environment }, call) {
      const key = keyOf(apiId, environment);
      const calls = waiting.get(key) ?? new Set();
      waiting.set(key, calls.add(call));
      return () => {
        calls.delete(call);
        if (calls.size === 0) waiting.delete(key);
      };
    },
  };
}

/** The pin of what a server says now; undefined where there is no room for one more. */
function seen(
  pins: Map<string, Pin>,
  { settings }: PinPlace,
  kind: PinKind,
  name: string,
  definition: McpDefinition,
): Pin | undefined {
  const key = keyOf(kind, name);
  const text = JSON.stringify(definition);
  const known = pins.get(key);
  if (known?.text === text) return known;
  if (known === undefined && pins.size >= mostPins) return undefined;
  const full = definitionHash(definition);
  const hash = text.length > longestDefinition ? definitionHash(standIn(name, full)) : full;
  const approvedHash = settings.onNew === "allow" ? hash : null;
  const pin = known ?? { approvedHash, toldHash: undefined, seenHash: hash, text };
  pin.seenHash = hash;
  pin.text = text;
  pins.set(key, pin);
  return pin;
}

function told(kind: PinKind, name: string, { text }: Pin, entry: McpDefinition): McpDefinition {
  const definition = definitionOf(kind, entry);
  return (text?.length ?? 0) > longestDefinition ? standIn(name, definitionHash(definition)) : definition;
}

function standIn(name: string, sha256: string): McpDefinition {
  return { name, tooLongToKeep: sha256 };
}

const atOnce = 200;
const bytesAtOnce = 524_288;

/** Reports that a control plane takes at once. */
function inParts(news: readonly McpSighting[]): readonly (readonly McpSighting[])[] {
  const parts: McpSighting[][] = [];
  let bytes = 0;
  for (const each of news) {
    const length = JSON.stringify(each).length;
    const last = parts.at(-1);
    if (last === undefined || last.length >= atOnce || bytes + length > bytesAtOnce) {
      parts.push([each]);
      bytes = length;
    } else {
      last.push(each);
      bytes += length;
    }
  }
  return parts;
}

function keyOf(...parts: readonly string[]): string {
  return parts.join("\n");
}
