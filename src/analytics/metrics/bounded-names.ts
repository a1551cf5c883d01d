/** Names that others choose, as values of a label. */
export interface BoundedNames {
  /** Whether the name is one of those that are told; takes it in where `takesIn` says so and there is room. */
  has(name: string, takesIn: boolean): boolean;
}

/** The first names that come, at most `most`: memory and the page of metrics stay bounded, whatever is made up after them. */
export function boundedNames(most: number): BoundedNames {
  const known = new Set<string>();
  return {
    has(name, takesIn) {
      if (known.has(name)) return true;
      if (!takesIn || known.size >= most) return false;
      known.add(name);
      return true;
    },
  };
}
