/** A row of `/v1/models`. Fields that a provider adds are kept. */
export interface ModelRow {
  readonly id: string;
  readonly object: "model";
  readonly created: number;
  readonly owned_by: string;
}

/** The models in a provider's list: OpenAI's or Anthropic's `data`, or Gemini's `models`. What is no model is left out. */
export function modelRows(message: unknown): readonly ModelRow[] {
  if (message === null || typeof message !== "object") return [];
  if ("data" in message && Array.isArray(message.data)) return message.data.flatMap(rowOfData);
  return "models" in message && Array.isArray(message.models) ? message.models.flatMap(rowOfGemini) : [];
}

/** A row as Anthropic's clients know it. A time that nobody knows is the epoch's, as Anthropic itself has it. */
export function anthropicRow(row: ModelRow): object {
  const { display_name: title, created_at: createdAt } = row as { display_name?: unknown; created_at?: unknown }; // a provider's own
  const created = new Date(Number.isFinite(row.created) ? Math.min(row.created, 253_402_300_799) * 1_000 : 0);
  return {
    type: "model",
    id: row.id,
    display_name: typeof title === "string" ? title : row.id,
    created_at: typeof createdAt === "string" ? createdAt : created.toISOString().replace(".000Z", "Z"),
  };
}

function rowOfData(row: unknown): readonly ModelRow[] {
  if (row === null || typeof row !== "object" || !("id" in row) || typeof row.id !== "string") return [];
  const created = "created_at" in row && typeof row.created_at === "string" ? Date.parse(row.created_at) / 1_000 : 0;
  const isAnthropic = "type" in row && row.type === "model" && !("object" in row);
  const absent = { created: Number.isFinite(created) ? created : 0, owned_by: isAnthropic ? "anthropic" : "" };
  return [{ ...absent, ...row, id: row.id, object: "model" }];
}

function rowOfGemini(row: unknown): readonly ModelRow[] {
  if (row === null || typeof row !== "object" || !("name" in row) || typeof row.name !== "string") return [];
  return [{ id: row.name.replace(/^models\//, ""), object: "model", created: 0, owned_by: "google" }];
}
