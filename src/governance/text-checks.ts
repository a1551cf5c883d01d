/** What can be told of a text by itself. Rules take it as an argument: guardrails know it, and rules see no guardrail. */
export interface TextChecks {
  /** What of a text gives orders to a model that reads it, by kind; empty where nothing does. */
  instructions(text: string): readonly string[];
  /** Kinds of characters that people do not see and models read. */
  hidden(text: string): readonly string[];
  /** Kinds of credentials that stand in it. */
  secrets(text: string): readonly string[];
  /** What is deceptive about names of one list: letters that look like others, or two that look the same. */
  deceptive(names: readonly string[]): string | undefined;
}
