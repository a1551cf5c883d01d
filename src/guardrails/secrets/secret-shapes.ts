/** The form of one issuer's secrets. */
export interface SecretShape {
  /** As rows and assessments name the kind. */
  readonly id: string;
  /**
   * Global. It begins where a word does, so that no text is read more than a few times, whatever it is; what it takes is
   * certain enough without the words around it.
   */
  readonly pattern: RegExp;
  /** True for a text whose checksum says that it was given out; such a one is never taken for an example. */
  isSound?(match: string): boolean;
}
