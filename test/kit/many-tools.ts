/** A tool as all dialects know one. */
export interface PlainTool {
  readonly name: string;
  readonly description: string;
  readonly parameters: object;
}

const verbs = ["create", "list", "delete", "update", "search", "send", "book", "cancel", "convert", "translate"];
const things =
  "invoice customer flight hotel email ticket calendar document issue currency weather user request playlist recipe stock room shipment contract photo".split(
    " ",
  );

/** So many tools that differ in what they do and to what: `create_invoice`, …; from the 201st on their names are numbered. */
export function manyTools(count: number): readonly PlainTool[] {
  return Array.from({ length: count }, (_, at) => {
    const verb = verbs[at % verbs.length] ?? "";
    const thing = things[Math.floor(at / verbs.length) % things.length] ?? "";
    const round = Math.floor(at / (verbs.length * things.length));
    const properties = { id: { type: "string", description: `The id of the ${thing}` }, limit: { type: "integer" } };
    return {
      name: `${verb}_${thing}${round === 0 ? "" : `_${round}`}`,
      description: `Use this to ${verb} the ${thing} in the system on behalf of a customer, with the usual options.`,
      parameters: { type: "object", properties, required: ["id"] },
    };
  });
}
