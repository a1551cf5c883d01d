import { appendFile, readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { z } from "zod";
import { auditVerificationSchema } from "../control/verify-audit-route.ts";
import { GatewayError } from "../kernel/errors.ts";
import type { ControlOptions } from "./common-options.ts";
import type { ControlClient } from "./control-client.ts";
import { openControlClient } from "./control-client.ts";
import type { Shell } from "./shell.ts";

export interface VerifyAuditOptions extends ControlOptions {
  /** A file of checkpoints. The last is verified with the chain; of each one before its row must be there as it was. */
  readonly checkpoint?: string;
}

/**
 * Checks the audit's chain to its end and prints what that proves. Throws `resource.invalid` when something is not as it
 * was written, after a line for each finding.
 */
export async function verifyAudit(options: VerifyAuditOptions, shell: Shell): Promise<void> {
  const checkpoints = options.checkpoint === undefined ? [] : await linesOf(resolve(shell.cwd, options.checkpoint));
  await using control = await openControlClient(options, shell);
  let rows = 0;
  let found = 0;
  for await (const page of pages(control, checkpoints.at(-1))) {
    rows += page.rows;
    found += page.findings.length;
    for (const { type, seq, detail } of page.findings) shell.out(`row ${seq}: ${type}: ${detail}`);
    if (page.next !== undefined) shell.note(`${rows} rows`);
    else printGuarantee(page.guarantee, shell);
  }
  for (const checkpoint of checkpoints.slice(0, -1)) {
    const finding = await rowFinding(control, checkpoint);
    if (finding === undefined) continue;
    found += 1;
    shell.out(finding);
  }
  if (found === 0) return shell.out(`${rows} rows, each as it was written`);
  throw new GatewayError(
    "resource.invalid",
    `The audit trail is not as it was written: ${found} findings in ${rows} rows.`,
  );
}

type Page = z.output<typeof auditVerificationSchema>;

async function* pages(control: ControlClient, checkpoint: string | undefined): AsyncGenerator<Page> {
  for (let cursor: string | undefined, more = true; more; more = cursor !== undefined) {
    const query = new URLSearchParams({
      limit: "5000",
      ...(cursor !== undefined && { cursor }),
      ...(checkpoint !== undefined && { checkpoint }),
    });
    const page = auditVerificationSchema.parse(await control.call("GET", `/api/v1/audit/verify?${query.toString()}`));
    yield page;
    cursor = page.next;
  }
}

function printGuarantee(guarantee: Page["guarantee"], shell: Shell): void {
  if (guarantee === undefined) return;
  const { installation, signed, anchored } = guarantee;
  shell.out(`installation ${installation}`);
  if (signed?.from === 1)
    shell.out("signed from the first row on: a change needs the encryption key, not the database alone");
  else if (signed !== undefined) shell.out(`signed from row ${signed.from} on, since ${signed.since}; not before`);
  shell.out(
    anchored === undefined
      ? "no checkpoint given: that the last rows were cut off, or an older database put back, would not show"
      : `nothing was cut off up to row ${anchored.seq}, as of the checkpoint of ${anchored.at}`,
  );
}

/** What is wrong with the row that an older checkpoint stands for; undefined when it is as it was. */
async function rowFinding(control: ControlClient, checkpoint: string): Promise<string | undefined> {
  const [, , seq = "", , hash] = checkpoint.split(".");
  if (!/^\d{1,15}$/.test(seq)) return `checkpoint: a line of the file is none: ${checkpoint.slice(0, 40)}`;
  const [row] = await pageAfter(control, String(Number(seq) - 1), new URLSearchParams(), 1);
  if (row?.seq === Number(seq) && row["hash"] === hash) return undefined;
  return `row ${seq}: checkpoint: is not there as it was when a checkpoint was made of it`;
}

async function linesOf(path: string): Promise<readonly string[]> {
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new GatewayError("config.invalid", `The checkpoints cannot be read: ${path}.`, { cause });
  });
  const lines = text.split("\n").flatMap((line) => (line.trim() === "" ? [] : [line.trim()]));
  if (lines.length > 0) return lines;
  throw new GatewayError("config.invalid", `There is no checkpoint in ${path}.`);
}

/** Prints a checkpoint, or adds it to a file. */
export async function checkpointAudit(
  options: ControlOptions & { readonly file?: string },
  shell: Shell,
): Promise<void> {
  await using control = await openControlClient(options, shell);
  const { checkpoint } = z
    .object({ checkpoint: z.string() })
    .parse(await control.call("POST", "/api/v1/audit/checkpoint"));
  if (options.file === undefined) return shell.out(checkpoint);
  await appendFile(resolve(shell.cwd, options.file), `${checkpoint}\n`, { mode: 0o600 }).catch((cause: unknown) => {
    throw new GatewayError("config.invalid", `The checkpoint cannot be written to ${String(options.file)}.`, { cause });
  });
  shell.out(`row ${checkpoint.split(".")[2] ?? ""}: added to ${options.file}`);
}

export interface TailAuditOptions extends ControlOptions {
  readonly follow?: boolean;
  /** Only lines behind this one. */
  readonly after?: string;
  readonly actor?: string;
  readonly action?: string;
  readonly kind?: string;
}

/** How often `--follow` asks for what came. */
const pollMs = 1_000;

/** Prints the audit, one JSON object a line, the oldest first. `--follow` goes on until it is stopped. */
export async function tailAudit({ follow = false, ...options }: TailAuditOptions, shell: Shell): Promise<void> {
  await using control = await openControlClient(options, shell);
  let isStopped = false;
  let wake = (): void => {};
  const forget = shell.onStop(() => {
    isStopped = true;
    wake();
  });
  const wanted = new URLSearchParams();
  for (const name of ["actor", "action", "kind"] as const) {
    const value = options[name];
    if (value !== undefined) wanted.set(name, value);
  }
  let after = options.after ?? "0";
  try {
    while (!isStopped) {
      const rows = await pageAfter(control, after, wanted);
      for (const row of rows) shell.out(JSON.stringify(row));
      after = String(rows.at(-1)?.seq ?? after);
      if (rows.length === 200) continue;
      if (!follow) return;
      await new Promise<void>((done) => {
        wake = done;
        const keepAlive = setTimeout(done, pollMs); // the clock's own timers let the process end
        if (isStopped) clearTimeout(keepAlive);
        if (isStopped) done();
      });
    }
  } finally {
    forget();
  }
}

async function pageAfter(control: ControlClient, after: string, wanted: URLSearchParams, limit = 200) {
  const query = new URLSearchParams({ ...Object.fromEntries(wanted), after, limit: String(limit) });
  const page = await control.call("GET", `/api/v1/audit?${query.toString()}`);
  return z.object({ items: z.array(z.looseObject({ seq: z.int() })) }).parse(page).items;
}
