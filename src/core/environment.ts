import { z } from "zod";

/** The two upstream blocks of every API; a credential is of one of them and never reaches the other. */
export const environmentSchema = z.enum(["production", "sandbox"]);
export type Environment = z.infer<typeof environmentSchema>;
