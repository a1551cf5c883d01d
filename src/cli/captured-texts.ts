import { z } from "zod";
import { capturedOperationSchema } from "../analytics/capture-reader.ts";
import { GatewayError } from "../kernel/errors.ts";
import type { ControlOptions } from "./common-options.ts";
import { openControlClient } from "./control-client.ts";
import { plainText } from "./plain-text.ts";
import type { Shell } from "./shell.ts";

export interface CapturedTextsOptions extends ControlOptions {
  readonly json?: boolean;
}

const answerSchema = z.looseObject({ operations: z.array(capturedOperationSchema) });

/** Prints the captured texts of one request. Throws `resource.not_found` where none were kept. */
export async function capturedTexts(exchangeId: string, options: CapturedTextsOptions, shell: Shell): Promise<void> {
  if (!/^[0-9a-f-]{36}$/i.test(exchangeId)) {
    throw new GatewayError("request.invalid", "Name the exchange by its id: the header x-request-id of the answer.");
  }
  await using control = await openControlClient(options, shell);
  const found = await control.call("GET", `/api/v1/analytics/exchanges/${exchangeId}/texts`);
  if (options.json === true) return shell.out(JSON.stringify(found));
  for (const { operationId, request, response, isCut, redactions } of answerSchema.parse(found).operations) {
    shell.out(`Operation ${operationId}: ${redactions} taken out${isCut ? ", cut" : ""}`);
    for (const [what, texts] of [["request", request.toReversed()] as const, ["response", response] as const]) {
      for (const { place, author, text } of texts)
        shell.out(`  ${what} ${plainText(place)} (${author}): ${plainText(text)}`);
    }
  }
}
