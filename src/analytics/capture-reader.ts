import { z } from "zod";

const textSchema = z.strictObject({
  place: z.string().meta({ description: "Where it stood: `messages[2].content`, `params.arguments.query`." }),
  author: z.string(),
  text: z.string(),
});

/** The texts of one operation that were kept. */
export const capturedOperationSchema = z.strictObject({
  operationId: z.string(),
  at: z.iso.datetime(),
  request: z.array(textSchema).meta({ description: "The last first." }),
  response: z.array(textSchema),
  isCut: z.boolean().meta({ description: "Whether there was more text than is kept." }),
  redactions: z.int().meta({ description: "Pieces that were taken out." }),
  goesAt: z.iso.datetime().meta({ description: "When the texts go." }),
});

export type CapturedOperation = z.output<typeof capturedOperationSchema>;

/** Texts of one exchange, and whose they are. */
export interface CapturedExchange {
  readonly api: { readonly id: string; readonly name: string; readonly teamId: string };
  readonly operations: readonly CapturedOperation[];
}

/** Reads captured texts. */
export interface CaptureReader {
  /**
   * Undefined when nothing was captured, or it has gone, or it is of other teams.
   *
   * @param teamIds only of APIs of these teams; of all when absent
   */
  find(exchangeId: string, teamIds: readonly string[] | undefined): Promise<CapturedExchange | undefined>;
}
