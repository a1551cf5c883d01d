import { z } from "zod";
import type { UpstreamTokenQuestion } from "../../core/upstream-tokens.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { SealedTexts } from "./sealed-texts.ts";

const ticketSchema = z.strictObject({
  apiId: z.string(),
  environment: z.enum(["production", "sandbox"]),
  holder: z.union([
    z.strictObject({ type: z.literal("user"), keyManagerId: z.string(), subject: z.string() }),
    z.strictObject({ type: z.literal("application"), applicationId: z.string() }),
  ]),
  client: z.string(),
  resourceMetadata: z.string().optional(),
  scopes: z.array(z.string()).optional(),
  untilMs: z.number(),
});

/** What a consent is about: whose account, where, for which client, and what the upstream said it wants. */
export type ConsentTicket = z.output<typeof ticketSchema>;

const ticketMs = 3_600_000;
const place = "upstream-consent";

/** The ticket of a question, good for an hour; it grants nothing, as the page lets in nobody but the holder. */
export function sealTicket(
  { apiId, environment, holder, client, refusal }: UpstreamTokenQuestion,
  scopes: readonly string[] | undefined,
  texts: SealedTexts,
  clock: Clock,
): string {
  const ticket: ConsentTicket = {
    apiId,
    environment,
    holder,
    client,
    untilMs: clock.now() + ticketMs,
    ...(refusal?.resourceMetadata !== undefined && { resourceMetadata: refusal.resourceMetadata }),
    ...(scopes !== undefined && { scopes: [...scopes] }),
  };
  return texts.seal(ticket, place);
}

/** Undefined for a ticket that is none of ours, or whose time is over. */
export function openTicket(text: string | undefined, texts: SealedTexts, clock: Clock): ConsentTicket | undefined {
  const opened = ticketSchema.safeParse(texts.open(text, place));
  return opened.success && clock.now() < opened.data.untilMs ? opened.data : undefined;
}
