/** What a text does that tries to steer a model. */
export type InstructionKind =
  | "override"
  | "prompt-theft"
  | "persona"
  | "fake-turn"
  | "exfiltration"
  | "secrecy"
  | "addressed-to-model"
  | "tool-coercion"
  | "authority";

export interface InstructionPattern {
  readonly kind: InstructionKind;
  /** How much of a proof a match is, from 0 to 1. */
  readonly weight: number;
  readonly pattern: RegExp;
}
