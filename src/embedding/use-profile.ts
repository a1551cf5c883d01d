import type { IndexedDocument } from "./two-voice-index.ts";
import type { UseRecord } from "./use-record.ts";
import { unpackVector } from "./use-record.ts";

/** Applications from which on what they have in common is shown to others. */
const leastApplications = 2;

/** What an application's own uses of an entry say together; undefined when there are none. */
export function ownProfile(ring: readonly UseRecord[], application: string): IndexedDocument | undefined {
  const records = ring.filter((record) => record.application === application);
  if (records.length === 0) return undefined;
  return { stems: countStems(records.map(({ stems }) => stems)), vector: centroid(records) };
}

/**
 * What the uses of at least two applications say together; undefined when there are fewer. Each application has an
 * equal part of the vector, however often it asked, and a word counts only when two of them used it: what one of them
 * says alone is never seen by another.
 */
export function sharedProfile(ring: readonly UseRecord[]): IndexedDocument | undefined {
  const applications = [...Map.groupBy(ring, ({ application }) => application).values()];
  if (applications.length < leastApplications) return undefined;
  const counts = countStems(applications.map((records) => [...new Set(records.flatMap(({ stems }) => stems))]));
  const stems = new Map([...counts].filter(([, count]) => count >= leastApplications));
  const centroids = applications.map(centroid).filter((vector) => vector !== undefined);
  // Not scaled to length one: where applications disagree, their mean is short and says little.
  const vector = centroids.length < leastApplications ? undefined : mean(centroids);
  return { stems, vector };
}

function countStems(lists: readonly (readonly string[])[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const stem of lists.flat()) counts.set(stem, (counts.get(stem) ?? 0) + 1);
  return counts;
}

/** Of length one. */
function centroid(records: readonly UseRecord[]): Float32Array | undefined {
  const vectors = records.flatMap(({ vector }) => (vector === undefined ? [] : [unpackVector(vector)]));
  if (vectors.length === 0) return undefined;
  const middle = mean(vectors);
  let square = 0;
  for (let at = 0; at < middle.length; at += 1) square += (middle[at] ?? 0) ** 2;
  if (square === 0) return undefined;
  const length = Math.sqrt(square);
  return middle.map((value) => value / length);
}

function mean(vectors: readonly Float32Array[]): Float32Array {
  const sum = new Float32Array(vectors[0]?.length ?? 0);
  for (const vector of vectors) {
    for (let at = 0; at < sum.length; at += 1) sum[at] = (sum[at] ?? 0) + (vector[at] ?? 0) / vectors.length;
  }
  return sum;
}
