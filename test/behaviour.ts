/** Something that must hold, and where it is tried. */
export interface Behaviour {
  readonly number: number;
  readonly behaviour: string;
  /** Files and names of tests, as they are written there; rows of a table by their `name`. */
  readonly tests: readonly (readonly [file: string, name: string])[];
}
