/** Resolves when `holds` does; rejects after `withinMs`. For what happens on another socket's turn. */
export async function eventually(
  what: string,
  holds: () => boolean | Promise<boolean>,
  withinMs = 2_000,
): Promise<void> {
  const until = performance.now() + withinMs;
  while (!(await holds())) {
    if (performance.now() > until) throw new Error(`not within ${withinMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
