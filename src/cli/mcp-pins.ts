import { z } from "zod";
import { GatewayError } from "../kernel/errors.ts";
import type { ControlOptions } from "./common-options.ts";
import type { ControlClient } from "./control-client.ts";
import { openControlClient } from "./control-client.ts";
import { plainText } from "./plain-text.ts";
import { printTable } from "./print-table.ts";
import type { Shell } from "./shell.ts";

export interface PinListOptions extends ControlOptions {
  readonly json?: boolean;
}

export interface ApproveOptions extends ControlOptions {
  readonly all?: boolean;
}

/** Prints the pins of a server, those that wait for an approval first. */
export async function listPins(server: string, options: PinListOptions, shell: Shell): Promise<void> {
  await using control = await openControlClient(options, shell);
  const pins = await read(control, server);
  if (options.json === true) return shell.out(JSON.stringify(pins, undefined, 2));
  const rows = pins.map((pin) => [pin.state, pin.environment, pin.kind, pin.name.slice(0, 100), labelOf(pin)]);
  for (const line of printTable(["STATE", "WHERE", "WHAT", "NAME", "PIN"], rows)) shell.out(line);
}

/** Prints what differs from what was approved, member by member; nothing when nothing waits. */
export async function diffPins(server: string, options: PinListOptions, shell: Shell): Promise<void> {
  await using control = await openControlClient(options, shell);
  const waiting = (await read(control, server)).filter(({ state }) => state !== "approved");
  if (options.json === true) return shell.out(JSON.stringify(waiting, undefined, 2));
  for (const pin of waiting) {
    shell.out(plainText(`${pin.kind} ${pin.name} (${pin.environment}): ${pin.state}`));
    for (const { path, before, after } of pin.changes) {
      shell.out(plainText(`  ${path}`));
      if (before !== undefined) shell.out(plainText(`    - ${JSON.stringify(before)}`));
      if (after !== undefined) shell.out(plainText(`    + ${JSON.stringify(after)}`));
    }
    shell.out(`  approve with: gatehouse mcp pins approve ${server} ${labelOf(pin)}`);
  }
}

/**
 * Approves definitions by the names that `list` and `diff` give them, which say what was looked at: one that has changed
 * since is refused. With `all`, everything that waits, as it is now.
 */
export async function approvePins(
  server: string,
  labels: readonly string[],
  options: ApproveOptions,
  shell: Shell,
): Promise<void> {
  if (labels.length === 0 && options.all !== true) {
    throw new GatewayError("request.invalid", "Say which pins, as `gatehouse mcp pins diff` names them, or --all.");
  }
  await using control = await openControlClient(options, shell);
  const pins = await read(control, server);
  const chosen = options.all === true ? pins.filter(({ state }) => state !== "approved") : labels.map(named(pins));
  for (const { id, seenHash, kind, name, environment } of chosen) {
    await control.call("POST", `${pathOf(server)}/approve`, { pin: id, seenHash });
    shell.out(plainText(`approved ${kind} ${name} (${environment})`));
  }
}

type Pin = z.output<typeof pinSchema>;

function named(pins: readonly Pin[]): (label: string) => Pin {
  return (label) => {
    const [id, hash = ""] = label.split("@");
    const pin = pins.find((each) => each.id === id);
    if (pin === undefined) throw new GatewayError("resource.not_found", `There is no pin ${id ?? ""}.`);
    if (hash.length >= hashDigits && pin.seenHash.startsWith(hash)) return pin;
    const message = `${label} does not name what ${pin.name} is now; look at \`gatehouse mcp pins diff\` again.`;
    throw new GatewayError("resource.conflict", plainText(message));
  };
}

const hashDigits = 12;

/** A pin and the definition that was looked at. */
function labelOf({ id, seenHash }: Pin): string {
  return `${id}@${seenHash.slice(0, hashDigits)}`;
}

async function read(control: ControlClient, server: string): Promise<readonly Pin[]> {
  return z.looseObject({ items: z.array(pinSchema) }).parse(await control.call("GET", pathOf(server))).items;
}

function pathOf(server: string): string {
  return `/api/v1/mcp-servers/${encodeURIComponent(server)}/pins`;
}

const pinSchema = z.looseObject({
  id: z.string(),
  environment: z.string(),
  kind: z.string(),
  name: z.string(),
  state: z.string(),
  seenHash: z.string(),
  changes: z.array(z.looseObject({ path: z.string(), before: z.unknown(), after: z.unknown() })),
});
