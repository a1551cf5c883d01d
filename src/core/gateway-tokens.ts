import { createHash } from "node:crypto";
import { z } from "zod";
import { equalInConstantTime } from "../kernel/crypto.ts";
import { GatewayError } from "../kernel/errors.ts";
import { parseJson } from "../kernel/parse-json.ts";
import type { CatalogTransaction } from "./catalog.ts";
import type { Actor, CoreContext } from "./core-context.ts";
import { gateway } from "./gateway.ts";
import { requireResource } from "./resource-changes.ts";
import { secretText } from "./secret-text.ts";
import { audit, inWrite } from "./write.ts";

/** A token of a gateway process, as it may be shown. */
export interface GatewayTokenView {
  /** Public; also in the token itself. */
  readonly id: string;
  readonly createdAtMs: number;
}

/** Who a gateway process is, as its token tells. */
export interface KnownGateway {
  readonly gatewayId: string;
  readonly tokenId: string;
}

/** Tokens of one gateway that may live at a time: with two, a process moves from one to the other without a pause. */
export const liveGatewayTokens = 2;

/**
 * Makes a token by which a gateway process gets the feed, and shows it, this once. Throws `resource.conflict` when the
 * gateway has two already, and `resource.not_found`.
 */
export async function addGatewayToken(
  context: CoreContext,
  actor: Actor,
  gatewayName: string,
): Promise<{ readonly token: string; readonly view: GatewayTokenView }> {
  return inWrite(context, actor, async (write) => {
    const owner = await requireResource(write.transaction, gateway, gatewayName);
    const stored = await readTokens(write.transaction);
    if (stored.filter(({ gatewayId }) => gatewayId === owner.id).length >= liveGatewayTokens) {
      throw new GatewayError(
        "resource.conflict",
        `The gateway ${gatewayName} has ${liveGatewayTokens} tokens, the most there may be. Revoke the one that is not used any more.`,
      );
    }
    const { text: token, publicId: id } = form.make();
    const row = { id, gatewayId: owner.id, hash: hashOf(token).toString("hex"), createdAtMs: write.nowMs };
    await writeTokens(write.transaction, [...stored, row]);
    await audit(write, "gateway.token-added", owner, { token: id });
    return { token, view: viewOf(row) };
  });
}

/** The live tokens of a gateway, oldest first. Throws `resource.not_found`. */
export async function listGatewayTokens(
  { catalog }: CoreContext,
  gatewayName: string,
): Promise<readonly GatewayTokenView[]> {
  const owner = await requireResource(catalog.read, gateway, gatewayName);
  return (await readTokens(catalog.read)).filter(({ gatewayId }) => gatewayId === owner.id).map(viewOf);
}

/** Ends a token: its next question is refused. Throws `resource.not_found`. */
export async function revokeGatewayToken(
  context: CoreContext,
  actor: Actor,
  gatewayName: string,
  tokenId: string,
): Promise<void> {
  await inWrite(context, actor, async (write) => {
    const owner = await requireResource(write.transaction, gateway, gatewayName);
    const stored = await readTokens(write.transaction);
    const rest = stored.filter(({ id, gatewayId }) => id !== tokenId || gatewayId !== owner.id);
    if (rest.length === stored.length) {
      throw new GatewayError("resource.not_found", `The gateway ${gatewayName} has no token ${tokenId}.`);
    }
    await writeTokens(write.transaction, rest);
    await audit(write, "gateway.token-revoked", owner, { token: tokenId });
  });
}

/** Whose token this is; undefined when it is nobody's, was revoked, or its gateway is gone. */
export async function findGatewayToken({ catalog }: CoreContext, token: string): Promise<KnownGateway | undefined> {
  const tokenId = form.parse(token);
  if (tokenId === undefined) return undefined;
  const row = (await readTokens(catalog.read)).find(({ id }) => id === tokenId);
  if (row === undefined || !equalInConstantTime(hashOf(token), Buffer.from(row.hash, "hex"))) return undefined;
  const owner = await catalog.read.resources.findById(row.gatewayId);
  return owner === undefined ? undefined : { gatewayId: row.gatewayId, tokenId };
}

const form = secretText("ghgw");
const setting = "gateway-tokens";

const rowsSchema = z.array(
  z.strictObject({ id: z.string(), gatewayId: z.string(), hash: z.string(), createdAtMs: z.number() }),
);
type TokenRow = z.output<typeof rowsSchema>[number];

// A handful for the whole installation, read together at each question: a setting, no table.
async function readTokens({ settings }: Pick<CatalogTransaction, "settings">): Promise<readonly TokenRow[]> {
  const stored = await settings.get(setting);
  return stored === undefined ? [] : rowsSchema.parse(parseJson(stored));
}

async function writeTokens(transaction: CatalogTransaction, rows: readonly TokenRow[]): Promise<void> {
  const living: TokenRow[] = [];
  for (const row of rows) {
    if ((await transaction.resources.findById(row.gatewayId)) !== undefined) living.push(row);
  }
  await transaction.settings.set(setting, JSON.stringify(living));
}

function viewOf({ id, createdAtMs }: TokenRow): GatewayTokenView {
  return { id, createdAtMs };
}

// 256 random bits: a plain hash tells nothing.
function hashOf(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}
