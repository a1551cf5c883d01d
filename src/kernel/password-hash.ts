import { randomBytes, scrypt } from "node:crypto";
import { equalInConstantTime } from "./crypto.ts";

/**
 * scrypt's cost: 16 MiB and 5 passes, one of the choices that OWASP holds to be equal; the others take more of a
 * gateway's memory for each check.
 */
const cost = { N: 16_384, r: 8, p: 5 };
const saltBytes = 16;
const hashBytes = 32;

/** What is stored of a password: `scrypt$N$r$p$salt$hash`, the last two in base64url. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(saltBytes);
  const hash = await derive(password, salt, cost);
  return ["scrypt", cost.N, cost.r, cost.p, salt.toString("base64url"), hash.toString("base64url")].join("$");
}

/**
 * True when the password made `stored`. Without a stored one, and with one that cannot be read, it does the same work
 * and is false, so that the time does not tell which users there are.
 */
export async function verifyPasswordHash(stored: string | undefined, password: string): Promise<boolean> {
  const parsed = parse(stored ?? "");
  const { salt, hash, ...parameters } = parsed ?? { ...cost, salt: noSalt, hash: Buffer.alloc(hashBytes) };
  const derived = await derive(password, salt, parameters);
  return equalInConstantTime(derived, hash) && parsed !== undefined;
}

type Cost = typeof cost;

const noSalt = Buffer.alloc(saltBytes);

const form = /^scrypt\$(\d{1,7})\$(\d{1,2})\$(\d{1,2})\$([\w-]{22})\$([\w-]{43})$/;

function parse(stored: string): (Cost & { readonly salt: Buffer; readonly hash: Buffer }) | undefined {
  const [, N, r, p, salt, hash] = form.exec(stored) ?? [];
  if (salt === undefined || hash === undefined) return undefined;
  const parameters = { N: Number(N), r: Number(r), p: Number(p) };
  return { ...parameters, salt: Buffer.from(salt, "base64url"), hash: Buffer.from(hash, "base64url") };
}

// Composed and decomposed spellings of one text are one password (NIST SP 800-63B, 3.1.1.2).
function derive(password: string, salt: Buffer, { N, r, p }: Cost): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  scrypt(password.normalize("NFKC"), salt, hashBytes, { N, r, p, maxmem: 256 * N * r }, (error, key) => {
    if (error === null) resolve(key);
    else reject(error);
  });
  return promise;
}
