/** What the doctor found. `fault` keeps Gatehouse from working; `hint` is worth knowing. */
export interface Finding {
  readonly state: "ok" | "hint" | "fault";
  readonly what: string;
}
