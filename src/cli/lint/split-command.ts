import { GatewayError } from "../../kernel/errors.ts";

/** A command line's words: by spaces, but for those in single or double quotes. Nothing in it is expanded. Throws `request.invalid`. */
export function splitCommand(line: string): readonly string[] {
  const words = [...line.matchAll(/(?:[^\s"']|"[^"]*"|'[^']*')+/g)].map(([word]) =>
    word.replace(
      /"([^"]*)"|'([^']*)'/g,
      (_, double: string | undefined, single: string | undefined) => double ?? single ?? "",
    ),
  );
  const rest = line.replace(/"[^"]*"|'[^']*'/g, "");
  if (words.length > 0 && !/["']/.test(rest)) return words;
  throw new GatewayError("request.invalid", "--stdio takes a command, with each quote closed.");
}
