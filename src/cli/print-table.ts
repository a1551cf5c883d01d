/** Rows under a heading, columns aligned. Control characters are shown as `?`, so that no value plays with the terminal. */
export function printTable(heading: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const table = [heading, ...rows].map((row) => row.map((cell) => cell.replace(/\p{Cc}/gu, "?")));
  const widths = heading.map((_, column) => Math.max(...table.map((row) => (row[column] ?? "").length)));
  return table.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}
