import { z } from "zod";

/** A condition on a table with `ts`, `exchange_id` and `team_id`, with its parameters. */
export interface ExchangeCondition {
  readonly where: string;
  readonly parameters: Readonly<Record<string, string | number>>;
}

/**
 * The rows of one exchange, by its id, which tells the time from which on they are looked for. Undefined for what is no id.
 *
 * @param teamIds only of APIs of these teams; of all when absent
 */
export function exchangeCondition(
  exchangeId: string,
  teamIds: readonly string[] | undefined,
): ExchangeCondition | undefined {
  const id = uuidSchema.safeParse(exchangeId).data;
  if (id === undefined || teamIds?.length === 0) return undefined;
  const team = teamIds === undefined ? "" : "AND has(splitByChar(',', {teamIds:String}), team_id)";
  return {
    where: `WHERE exchange_id = {id:UUID} AND ts >= fromUnixTimestamp64Milli({from:Int64}) ${team}`,
    parameters: {
      id,
      from: madeAtMs(id) - clockSlackMs,
      ...(teamIds !== undefined && { teamIds: teamIds.join(",") }),
    },
  };
}

const uuidSchema = z.guid();

/** Clocks of gateways differ, and a row's time is taken beside its id. */
const clockSlackMs = 60_000;

/** The time in a UUIDv7 (RFC 9562, 5.7); of another UUID the epoch, from which everything is looked through. */
function madeAtMs(id: string): number {
  return id[14] === "7" ? Number.parseInt(id.slice(0, 13).replace("-", ""), 16) : clockSlackMs;
}
