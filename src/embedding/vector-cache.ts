import { createHash } from "node:crypto";
import { LRUCache } from "lru-cache";
import { GatewayError } from "../kernel/errors.ts";
import type { Log } from "../kernel/log.ts";
import type { CompiledEmbedder } from "./define-embedder.ts";
import type { KeptVector, VectorFile } from "./vector-file.ts";
import { openVectorFile } from "./vector-file.ts";

export interface VectorCacheOptions {
  /** Held in memory, the least recently used going first; on disk there may be twice as much. */
  readonly maxBytes: number;
  /** The file, whose directory must be there; in memory only when absent. */
  readonly path?: string | undefined;
  readonly log: Log;
}

/** Vectors that were made once, by model and hash of the text. The texts themselves are nowhere in it. */
export interface VectorCache extends AsyncDisposable {
  /**
   * The same embedder, asking for vectors that are not known only: all of a call together, and each text once however
   * many ask at the same time. The work for several goes on until the last of them has left. Whoever gets a vector
   * shares it with others and leaves it as it is. A cheap embedder is given back as it is.
   */
  over(embedder: CompiledEmbedder): CompiledEmbedder;
  readonly size: { readonly vectors: number; readonly bytes: number };
  /** Resolves when what was made so far would survive the end of this process. */
  flush(): Promise<void>;
}

/** An empty cache; the file is read when the first text is asked for. */
export function createVectorCache(options: VectorCacheOptions): VectorCache {
  const shelf = createShelf(options);
  return {
    over: (embedder) => (embedder.cheap === true ? embedder : cached(embedder, shelf)),
    get size() {
      return { vectors: shelf.held.size, bytes: shelf.held.calculatedSize };
    },
    flush: async () => shelf.file?.flush(),
    async [Symbol.asyncDispose]() {
      await shelf.opening;
      await shelf.file?.[Symbol.asyncDispose]();
    },
  };
}

interface Shelf {
  readonly held: LRUCache<string, Float32Array>;
  readonly flights: Map<string, Place>;
  /** Undefined before the first text, and where nothing is on disk. */
  file: VectorFile | undefined;
  opening: Promise<void> | undefined;
  isOpen: boolean;
  open(): Promise<void>;
  /** What stands before the digest in the keys of a model. */
  prefixOf(modelId: string): string;
  /** Keeps a vector. Those of the model that have another length go: they were another model's. */
  put(kept: KeptVector): void;
}

/** Bytes of an entry beside its numbers, about. */
const entryBytes = 250;

function createShelf({ maxBytes, path, log }: VectorCacheOptions): Shelf {
  const models: string[] = [];
  const lengths = new Map<string, number>();
  const held = new LRUCache<string, Float32Array>({
    maxSize: maxBytes,
    sizeCalculation: (vector) => entryBytes + vector.byteLength,
  });
  const prefixOf = (modelId: string): string => {
    const known = models.indexOf(modelId);
    return `${known === -1 ? models.push(modelId) - 1 : known}:`;
  };
  const forget = (prefix: string): void => {
    for (const key of Array.from(held.keys())) {
      if (key.startsWith(prefix) && held.peek(key)?.length !== 0) held.delete(key);
    }
  };
  const put = ({ modelId, digest, vector }: KeptVector): void => {
    const prefix = prefixOf(modelId);
    const length = lengths.get(modelId);
    if (vector.length > 0 && vector.length !== length) {
      if (length !== undefined) {
        forget(prefix);
        log.warn({ model: modelId, from: length, to: vector.length }, "a model's vectors have another length now");
      }
      lengths.set(modelId, vector.length);
    }
    held.set(`${prefix}${digest.toString("base64")}`, vector);
  };
  const live = function* (): Generator<KeptVector> {
    for (const key of held.rkeys()) {
      const vector = held.peek(key);
      if (vector === undefined) continue;
      const at = key.indexOf(":");
      const modelId = models[Number(key.slice(0, at))] ?? "";
      yield { modelId, digest: Buffer.from(key.slice(at + 1), "base64"), vector };
    }
  };
  const shelf: Shelf = {
    held,
    flights: new Map(),
    file: undefined,
    opening: undefined,
    isOpen: path === undefined,
    prefixOf,
    put,
    async open() {
      try {
        if (path !== undefined) {
          shelf.file = await openVectorFile({ path, maxBytes: 2 * maxBytes, log, load: put, live });
        }
      } catch (error) {
        log.warn({ err: error, path }, "vectors are not kept on disk"); // they can be made again at any time
      }
      shelf.isOpen = true;
    },
  };
  return shelf;
}

/** Where a vector will be that is being made. */
interface Place {
  readonly flight: Flight;
  readonly index: number;
}

/** A call of the embedder that several may wait for. */
interface Flight {
  readonly vectors: Promise<readonly (Float32Array | undefined)[]>;
  readonly keys: readonly string[];
  readonly controller: AbortController;
  waiting: number;
}

function cached(embedder: CompiledEmbedder, shelf: Shelf): CompiledEmbedder {
  const { modelId } = embedder;
  const prefix = shelf.prefixOf(modelId);
  const find = (key: string): Float32Array | undefined => {
    const vector = shelf.held.get(key);
    const { dimensions } = embedder;
    const fits =
      vector === undefined || vector.length === 0 || dimensions === undefined || vector.length === dimensions;
    return fits ? vector : undefined;
  };
  const embed = async (
    texts: readonly string[],
    keys: readonly Key[],
    signal: AbortSignal | undefined,
  ): Promise<readonly (Float32Array | undefined)[]> => {
    if (!shelf.isOpen) await (shelf.opening ??= shelf.open());
    for (;;) {
      startFlight(embedder, shelf, texts, keys, find);
      const places = keys.map(({ key }) => shelf.flights.get(key));
      const known = keys.map(({ key }, index) => (places[index] === undefined ? find(key) : undefined));
      const made = await waitFor(new Set(places.flatMap((place) => place?.flight ?? [])), shelf, signal);
      const vectors = known.map((vector, index) => {
        const place = places[index];
        return place === undefined ? meaning(vector) : made.get(place.flight)?.[place.index];
      });
      const lengths = new Set(vectors.flatMap((vector) => vector?.length ?? []));
      if (lengths.size < 2) return vectors; // else those known before were another model's, and are gone by now
    }
  };
  return {
    modelId,
    get dimensions() {
      return embedder.dimensions;
    },
    thresholds: embedder.thresholds,
    embed(texts, signal) {
      const keys = texts.map((text): Key => {
        const digest = createHash("sha256").update(text).digest();
        return { key: `${prefix}${digest.toString("base64")}`, digest };
      });
      if (!shelf.isOpen) return embed(texts, keys, signal);
      const vectors = keys.map(({ key }) => find(key));
      return vectors.every((vector) => vector !== undefined) ? vectors.map(meaning) : embed(texts, keys, signal);
    },
    ...(embedder.dispose !== undefined && { dispose: () => embedder.dispose?.() }),
  };
}

interface Key {
  readonly key: string;
  readonly digest: Buffer;
}

/** Begins to make what is neither known nor being made, in one call. */
function startFlight(
  embedder: CompiledEmbedder,
  shelf: Shelf,
  texts: readonly string[],
  keys: readonly Key[],
  find: (key: string) => Float32Array | undefined,
): void {
  const missing = new Map<string, { readonly digest: Buffer; readonly text: string }>();
  for (const [index, { key, digest }] of keys.entries()) {
    if (!shelf.flights.has(key) && find(key) === undefined) missing.set(key, { digest, text: texts[index] ?? "" });
  }
  if (missing.size === 0) return;
  const controller = new AbortController();
  const wanted = [...missing.values()];
  const make = async (): Promise<readonly (Float32Array | undefined)[]> => {
    const vectors = await embedder.embed(
      wanted.map(({ text }) => text),
      controller.signal,
    );
    if (vectors.length !== wanted.length) {
      const detail = `${embedder.modelId}: ${vectors.length} vectors for ${wanted.length} texts`;
      throw new GatewayError("upstream.invalid", "The embedding model's answer is not usable.", { detail });
    }
    for (const [index, { digest }] of wanted.entries()) {
      const kept = { modelId: embedder.modelId, digest, vector: vectors[index] ?? nothing };
      shelf.put(kept);
      shelf.file?.append(kept);
    }
    return vectors;
  };
  const vectors = make().finally(() => land(flight, shelf));
  const flight: Flight = { vectors, keys: [...missing.keys()], controller, waiting: 0 };
  vectors.catch(() => undefined); // who waits hears of it; nobody may wait any more
  for (const [index, key] of flight.keys.entries()) shelf.flights.set(key, { flight, index });
}

/** What the flights bring. Who leaves before lets go of them, and the last one ends the work. */
async function waitFor(
  flights: ReadonlySet<Flight>,
  shelf: Shelf,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<Flight, readonly (Float32Array | undefined)[]>> {
  const left = Promise.withResolvers<never>();
  left.promise.catch(() => undefined);
  const leave = (): void => left.reject(new GatewayError("client.closed", "The call was abandoned."));
  for (const flight of flights) flight.waiting += 1;
  signal?.addEventListener("abort", leave, { once: true });
  if (signal?.aborted) leave();
  try {
    const all = Promise.all([...flights].map(async (flight) => [flight, await flight.vectors] as const));
    return new Map(await Promise.race([all, left.promise]));
  } finally {
    signal?.removeEventListener("abort", leave);
    for (const flight of flights) {
      flight.waiting -= 1;
      if (flight.waiting === 0) {
        land(flight, shelf);
        flight.controller.abort();
      }
    }
  }
}

/** Nobody joins the flight any more; another may have taken over some of its texts already. */
function land(flight: Flight, { flights }: Shelf): void {
  for (const key of flight.keys) {
    if (flights.get(key)?.flight === flight) flights.delete(key);
  }
}

const nothing = new Float32Array(0);

function meaning(vector: Float32Array | undefined): Float32Array | undefined {
  return vector === undefined || vector.length === 0 ? undefined : vector;
}
