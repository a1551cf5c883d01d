import type { Draw } from "./make-numbers.ts";
import { base62, createDraw, digits } from "./make-numbers.ts";
import { personalData } from "./make-personal-data.ts";
import { secretShapes } from "./make-secrets.ts";
import { seededRandom } from "./random.ts";

/** What stands in a text and is to be found. */
export interface Planted {
  readonly kind: string;
  readonly start: number;
  readonly end: number;
}

export interface GeneratedText {
  readonly text: string;
  readonly planted: readonly Planted[];
}

/**
 * Texts as people and programs write them, with personal data, secrets and things that only look like them; the same for the
 * same seed. Written by the formats' own descriptions, without a look at what is to find them.
 */
export function generateTexts(count: number, seed: number): readonly GeneratedText[] {
  const draw = createDraw(seededRandom(seed));
  const kinds = [...Object.keys(personalData), ...Object.keys(secretShapes)];
  return Array.from({ length: count }, (_, at) => {
    const first = kinds[at % kinds.length] ?? "email";
    const more = draw.int(0, 3) === 0 ? [kinds[draw.int(0, kinds.length - 1)] ?? "email"] : [];
    // Every fifth text has nothing to be found.
    return compose(draw, at % 5 === 4 ? [] : [first, ...more]);
  });
}

function compose(draw: Draw, kinds: readonly string[]): GeneratedText {
  let text = "";
  const planted: Planted[] = [];
  const parts: (() => void)[] = kinds.map((kind) => () => {
    const make = personalData[kind] ?? secretShapes[kind];
    if (make === undefined) return;
    const { value, before = "" } = make(draw);
    const [open, close] = draw.pick(carriers);
    const lead = text + open + before;
    planted.push({ kind, start: lead.length, end: lead.length + value.length });
    text = `${lead}${value}${kind === "url-password" ? "@db.example.com/app" : ""}${close}`;
  });
  const decoys = draw.int(kinds.length === 0 ? 1 : 0, 2);
  for (let at = 0; at < decoys; at += 1) parts.push(() => void (text += draw.pick(nearMisses)(draw)));
  for (const part of draw.int(0, 1) === 0 ? parts : parts.toReversed()) {
    if (text !== "") text += draw.pick([" ", "\n", "\n\n"]);
    part();
  }
  return { text, planted };
}

type Carrier = readonly [open: string, close: string];

/** What stands around a value: sentences in several languages, and what programs write. */
const carriers: readonly [Carrier, ...Carrier[]] = [
  ["Please note the following: ", "."],
  ["Hi team, here it is: ", " - thanks!"],
  ["My details are ", ", call me any time."],
  ["Bitte speichern Sie ", " in der Akte."],
  ["Voici les informations : ", " merci."],
  ["Los datos son ", ", gracias."],
  ["Ecco i dati: ", "."],
  ["Os dados: ", ", obrigado."],
  ["De gegevens zijn ", "."],
  ["Oto dane: ", "."],
  ["Bilgiler: ", "."],
  ["お客様情報: ", " です。"],
  ["客户信息：", "。"],
  ["Данные: ", "."],
  ['{"note": "', '"}'],
  ["| field | value |\n|---|---|\n| x | ", " |"],
  ["2025-11-23T10:15:00Z INFO update ", " done"],
  ["- ", ""],
  ["> ", "\n"],
  ["<td>", "</td>"],
  ["(", ")"],
  ["", ""],
  ['Customer wrote: "', '"'],
];

/** Things that only look like what is to be found. */
const nearMisses: readonly [(draw: Draw) => string, ...((draw: Draw) => string)[]] = [
  (draw) => `Order number ${draw.shape("########")} has shipped.`,
  (draw) => `Invoice INV-${draw.shape("####-#####")} is due.`,
  (draw) => `id ${[8, 4, 4, 4, 12].map((length) => draw.chars("0123456789abcdef", length)).join("-")}`,
  (draw) => `commit ${draw.chars("0123456789abcdef", 40)}`,
  (draw) => `sha256:${draw.chars("0123456789abcdef", 64)}`,
  (draw) => `Upgrade to version ${draw.int(1, 9)}.${draw.int(10, 40)}.${draw.int(0, 9)}.`,
  (draw) => `The build ${draw.int(1, 20)}.${draw.int(0, 9)}.${draw.int(0, 9)}-rc.${draw.int(1, 4)} is out.`,
  (draw) => `lodash@${draw.int(1, 9)}.${draw.int(0, 20)}.${draw.int(0, 30)} and @types/node@${draw.int(18, 24)}.0.1`,
  (draw) => `Meet at ${draw.int(40, 59)}.${draw.shape("####")}, ${draw.int(5, 15)}.${draw.shape("####")}.`,
  (draw) => `The release is planned for 20${draw.int(24, 29)}-0${draw.int(1, 9)}-1${draw.int(0, 9)}.`,
  (draw) => `Total: ${draw.int(1, 9)},${draw.shape("###")},${draw.shape("###")}.${draw.shape("##")} EUR`,
  (draw) => `ISBN 978-${draw.shape("#-##-######-#")}`,
  (draw) => `Part no. ${draw.shape("@@-#####-@")}`,
  (draw) => `The ticket ABC-${draw.shape("####")} blocks ABC-${draw.shape("####")}.`,
  (draw) => `Between 19${draw.shape("##")} and 20${draw.shape("##")} the population grew to ${draw.shape("#######")}.`,
  () => "Ask @maria or see #general.",
  () => "Set the key in the settings: YOUR_API_KEY",
  () => 'password: "********"',
  (draw) => `apiKey: process.env.${draw.pick(["API_KEY", "OPENAI_API_KEY", "TOKEN"])}`,
  () => "token: ${secret:upstream-token}",
  () => "Passwords must have at least 12 characters.",
  (draw) => `It took ${draw.int(10, 99)}:${draw.int(10, 59)}:${draw.int(10, 59)} hours.`,
  (draw) => `color: #${draw.chars("0123456789abcdef", 6)};`,
  (draw) => `/assets/app-${draw.chars(base62, 8)}.js`,
  (draw) =>
    `Sensor ${draw.chars(digits, 3)} read ${draw.int(10, 99)}.${draw.int(10, 99)} at ${draw.int(1_600_000_000, 1_800_000_000)}.`,
];
