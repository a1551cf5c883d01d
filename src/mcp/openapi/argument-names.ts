/** Hands out the names of a tool's arguments, in the order in which they are asked for. */
export interface ArgumentNames {
  /**
   * The name itself where it can stand as an argument and is free. Else one made of it: unusual characters become `_`,
   * and a name that is taken gets its location (`id_query`), then a number.
   */
  claim(name: string, location: string): string;
}

/** What the models' APIs take as the name of a property. */
const usual = /^[A-Za-z0-9_.-]{1,64}$/;
const nameLimit = 64;

/** For one tool. */
export function argumentNames(): ArgumentNames {
  const taken = new Set<string>();
  return {
    claim(name, location) {
      const plain = usual.test(name) && name !== "__proto__" ? name : made(name);
      let free = plain;
      for (let number = 1; taken.has(free); number += 1) {
        const ending = number === 1 ? `_${location}` : `_${location}_${number}`;
        free = `${plain.slice(0, nameLimit - ending.length)}${ending}`;
      }
      taken.add(free);
      return free;
    },
  };
}

function made(name: string): string {
  const plain = name
    .replace(/[^A-Za-z0-9_.-]+/g, "_")
    .replace(/^_+|_+$/g, "")
    .slice(0, nameLimit);
  return plain === "" ? "argument" : plain;
}
