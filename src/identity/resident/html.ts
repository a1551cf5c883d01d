/** Text that may stand in HTML as it is. Only `html` makes it. */
export interface Html {
  readonly html: string;
}

/** A template in which every value is escaped, unless it is `Html` itself; lists are joined, undefined is nothing. */
export function html(strings: TemplateStringsArray, ...values: readonly Fillable[]): Html {
  return { html: strings.map((text, index) => text + fill(values[index])).join("") };
}

type Fillable = string | number | Html | readonly Html[] | undefined;

function fill(value: Fillable): string {
  if (value === undefined) return "";
  if (typeof value === "object") return "html" in value ? value.html : value.map((each) => each.html).join("");
  return String(value).replace(/[&<>"'`]/g, (character) => `&#${character.charCodeAt(0)};`);
}
