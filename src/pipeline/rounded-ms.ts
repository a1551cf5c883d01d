/** Milliseconds as rows have them: to the microsecond. */
export function roundedMs(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
