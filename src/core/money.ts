import { z } from "zod";

/** An amount of money as people write it, in whole units of its currency with up to nine decimals: `25.00`. */
export const moneySchema = z
  .string()
  .max(18)
  .regex(/^\d{1,7}(\.\d{1,9})?$/, 'write a decimal number in quotes such as "25.00", not negative, at most 9 decimals')
  .refine((text) => !/^\d{8,}/.test(text) && Number(text) <= largestAmount, {
    error: "at most 9000000, which is what can be counted exactly",
  });

/** Which money it is: a label, nothing is converted. */
export const currencySchema = z
  .string()
  .regex(/^[A-Z]{3}$/, "three capital letters, such as USD")
  .default("USD")
  .meta({ title: "Currency", description: "What prices are written in; a label, nothing is converted." });

const largestAmount = 9_000_000;
const nanosPerUnit = 1_000_000_000;

/**
 * The amount in billionths of the currency's unit, exactly: a whole number below 2^53. For texts that `moneySchema`
 * takes.
 */
export function toNanos(text: string): number {
  const [units = "0", decimals = ""] = text.split(".");
  return Number(units) * nanosPerUnit + Number(decimals.padEnd(9, "0"));
}

/** Billionths as people write the amount, without trailing zeros beyond the second decimal: `25.00`, `0.000125`. */
export function formatNanos(nanos: number): string {
  const sign = nanos < 0 ? "-" : "";
  const whole = Math.abs(Math.trunc(nanos));
  const rest = whole % nanosPerUnit;
  const decimals = String(rest).padStart(9, "0");
  const shown = decimals.slice(0, 2) + decimals.slice(2).replace(/0+$/, "");
  return `${sign}${(whole - rest) / nanosPerUnit}.${shown}`;
}
