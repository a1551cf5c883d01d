/** How values are written in a URL, a header or a form (OpenAPI 3.1.1, section 4.8.12.4, "Style Values"). */
export type StyleName = "form" | "simple" | "label" | "matrix" | "spaceDelimited" | "pipeDelimited" | "deepObject";

export interface ParameterStyle {
  readonly style: StyleName;
  /** Lists and objects as one pair for each of their values. */
  readonly explode: boolean;
  /** Characters with a meaning in URLs stay as they are, but for those that would end or split the value. */
  readonly allowReserved: boolean;
  /** The value is written as JSON text, whatever the style. */
  readonly isJson: boolean;
}

/** Styles that a location has. */
export const styleNames = {
  path: ["simple", "label", "matrix"],
  query: ["form", "spaceDelimited", "pipeDelimited", "deepObject"],
  header: ["simple"],
} as const satisfies Record<string, readonly StyleName[]>;

/** The style of a location where a description names none, or one that the location has not. */
export const defaultStyles = { path: "simple", query: "form", header: "simple" } as const;
