/**
 * What stands in the fenced blocks of a Markdown text that are marked as JSON, or as nothing; a block that is not closed
 * goes on to the end.
 * @see https://spec.commonmark.org/0.31.2/#fenced-code-blocks
 */
export function findFenced(text: string): readonly string[] {
  const blocks: string[] = [];
  let open: { readonly fence: string; readonly isJson: boolean; readonly lines: string[] } | undefined;
  const end = (): void => {
    if (open?.isJson === true) blocks.push(open.lines.join("\n"));
    open = undefined;
  };
  for (const line of text.split(/\r?\n/)) {
    const [, fence, mark] = /^ {0,3}(`{3,}|~{3,})(.*)$/.exec(line) ?? [];
    if (open === undefined) {
      if (fence !== undefined) open = { fence, isJson: /^\s*(json\b.*)?$/i.test(mark ?? ""), lines: [] };
    } else if (fence?.startsWith(open.fence) === true && mark?.trim() === "") end();
    else open.lines.push(line);
  }
  end();
  return blocks;
}
