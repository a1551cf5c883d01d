import type { Draw } from "./make-numbers.ts";
import { digits, letters, weighted, withIbanCheck, withLuhn, withVerhoeff } from "./make-numbers.ts";

/** A value as people write it, and the words that stand before it where its form alone says too little. */
export interface Made {
  readonly value: string;
  readonly before?: string;
}

export type MakeValue = (draw: Draw) => Made;

/** By the kinds of the guardrail `pii`. */
export const personalData: Readonly<Record<string, MakeValue>> = {
  email: (draw) => ({ value: email(draw) }),
  phone: (draw) => ({
    before: draw.pick(["", "", "Phone ", "Tel.: ", "mobile ", "Call "]),
    value: draw.shape(draw.pick(phoneShapes)),
  }),
  "credit-card": (draw) => ({ before: draw.pick(["", "", "card ", "Karte: ", "Visa/MC "]), value: card(draw) }),
  iban: (draw) => ({ before: draw.pick(["", "", "IBAN: ", "IBAN "]), value: iban(draw) }),
  "ip-address": (draw) => ({ before: draw.pick(["", "", "from ", "client "]), value: address(draw) }),
  "national-id": (draw) => draw.pick(nationalIds)(draw),
  "date-of-birth": (draw) => ({
    before: draw.pick([
      "born on ",
      "date of birth: ",
      "DOB ",
      "geboren am ",
      "Geburtsdatum: ",
      "né le ",
      "date de naissance : ",
      "fecha de nacimiento: ",
      "nato il ",
      "data de nascimento: ",
      "geboortedatum: ",
    ]),
    value: birthday(draw),
  }),
  passport: (draw) => ({
    before: draw.pick(["passport number ", "Passport no. ", "passport: ", "Reisepass Nr. ", "numéro de passeport "]),
    value: draw.shape(draw.pick(["#########", "@########", "@@#######", "##@@#####"])),
  }),
  "driving-licence": (draw) => ({
    before: draw.pick(["driver's license ", "driving licence no. ", "Driver License: ", "driving licence "]),
    value: draw.shape(draw.pick(["@#######", "@@@@@6051#4@@9@@", "@###-####-####"])),
  }),
};

const firstNames = [
  "anna",
  "j.smith",
  "Priya.Nair",
  "lars_olsen",
  "m-garcia",
  "o'brien",
  "kim.lee+news",
  "x7",
  "info",
  "juergen",
] as const;
const hosts = [
  "example.com",
  "mail.example.co.uk",
  "firma-nord.de",
  "univ.example.edu",
  "kontor.hamburg",
  "example.museum",
  "sub.dept.example.org",
  "xn--bcher-kva.example",
] as const;

function email(draw: Draw): string {
  const address = `${draw.pick(firstNames)}${draw.pick(["", "", draw.chars(digits, 2)])}@${draw.pick(hosts)}`;
  return draw.pick([address, address, address.toUpperCase()]);
}

/** Mobile and fixed numbers of plans in use, as they are written there. */
const phoneShapes = [
  "+1 (212) 73#-4###",
  "+1-415-62#-3###",
  "(312) 64#-5###",
  "617-49#-8###",
  "503.22#.4###",
  "+44 20 7#46 3###",
  "07911 12####",
  "+44 7700 18####",
  "+49 30 90182###",
  "0151 2345####",
  "+49 (0)89 2180 4###",
  "+33 6 12 3# ## ##",
  "01 42 6# ## ##",
  "+34 612 3## ###",
  "+39 333 12#####",
  "+31 6 1234####",
  "+91 98765 4####",
  "+61 412 34# ###",
  "0412 34# ###",
  "+55 11 91234-####",
  "+81 90-1234-5###",
  "+46 70 123 4# ##",
  "+48 512 3## ###",
  "+41 44 668 1# ##",
  "+90 532 123 4# ##",
  "+86 138 0013 8###",
] as const;

function card(draw: Draw): string {
  const number = draw.pick([
    () => withLuhn(`4${draw.chars(digits, 14)}`),
    () => withLuhn(`5${draw.int(1, 5)}${draw.chars(digits, 13)}`),
    () => withLuhn(`3${draw.pick(["4", "7"])}${draw.chars(digits, 12)}`),
    () => withLuhn(`6011${draw.chars(digits, 11)}`),
    () => withLuhn(`222${draw.int(1, 9)}${draw.chars(digits, 11)}`),
  ])();
  const separator = draw.pick(["", " ", "-"]);
  const groups = number.length === 15 ? /^(.{4})(.{6})(.{5})$/ : /^(.{4})(.{4})(.{4})(.{4})$/;
  return number.replace(groups, (_, ...parts: string[]) =>
    parts.slice(0, number.length === 15 ? 3 : 4).join(separator),
  );
}

function iban(draw: Draw): string {
  const [country, shape] = draw.pick<readonly [string, string]>([
    ["DE", "##################"],
    ["GB", "@@@@##############"],
    ["FR", "#######################"],
    ["NL", "@@@@##########"],
    ["ES", "####################"],
    ["CH", "#################"],
    ["AT", "################"],
    ["PL", "########################"],
    ["BE", "############"],
    ["SE", "####################"],
  ]);
  const whole = withIbanCheck(country, draw.shape(shape));
  return draw.pick([whole, whole.replace(/(.{4})(?=.)/g, "$1 ")]);
}

function address(draw: Draw): string {
  const part = (): string => draw.int(1, 0xff_ff).toString(16);
  return draw.pick([
    () => `${draw.int(11, 223)}.${draw.int(0, 255)}.${draw.int(0, 255)}.${draw.int(1, 254)}`,
    () => `192.168.${draw.int(0, 255)}.${draw.int(1, 254)}`,
    () => `10.${draw.int(0, 255)}.${draw.int(0, 255)}.${draw.int(1, 254)}`,
    () => Array.from({ length: 8 }, part).join(":"),
    () => `2001:db8:${part()}::${part()}`,
    () => `fe80::${part()}:${part()}:${part()}:${part()}`,
  ])();
}

function birthday(draw: Draw): string {
  const [year, month, day] = [draw.int(1930, 2012), draw.int(1, 12), draw.int(1, 28)];
  const two = (value: number): string => String(value).padStart(2, "0");
  return draw.pick([
    `${year}-${two(month)}-${two(day)}`,
    `${two(day)}.${two(month)}.${year}`,
    `${two(day)}/${two(month)}/${year}`,
    `${two(month)}/${two(Math.min(day, 28))}/${year}`,
    `${day} ${["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"][month - 1]} ${year}`,
  ]);
}

/** Numbers whose check digit cannot be are drawn again. */
function until(make: () => string | undefined): string {
  for (;;) {
    const value = make();
    if (value !== undefined) return value;
  }
}

function dateOf(draw: Draw): { year: number; yy: string; mm: string; dd: string } {
  const year = draw.int(1940, 1999);
  const two = (value: number): string => String(value).padStart(2, "0");
  return { year, yy: two(year % 100), mm: two(draw.int(1, 12)), dd: two(draw.int(1, 28)) };
}

const nationalIds: readonly [MakeValue, ...MakeValue[]] = [
  (draw) => ({
    before: draw.pick(["SSN ", "social security number: ", "SSN: "]),
    value: `${draw.pick(["123", "219", "457", "531", "078"])}-${String(draw.int(10, 99))}-${draw.int(1000, 9999)}`,
  }),
  (draw) => ({
    before: draw.pick(["NHS number ", "NHS no. "]),
    value: until(() => {
      const payload = draw.chars("123456789", 1) + draw.chars(digits, 8);
      const check = 11 - (weighted(payload, [10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11);
      return check === 10 ? undefined : `${payload}${check % 11}`.replace(/^(...)(...)/, "$1 $2 ");
    }),
  }),
  (draw) => ({
    before: draw.pick(["National Insurance number ", "NINO: "]),
    value: `${draw.pick(["AB", "CE", "JG", "PX", "WM"])}${draw.pick(["", " "])}${draw.shape("##")} ${draw.shape("##")} ${draw.shape("##")} ${draw.pick(["A", "B", "C", "D"])}`,
  }),
  (draw) => ({
    before: draw.pick(["BSN ", "burgerservicenummer: "]),
    value: until(() => {
      const payload = draw.chars("123456789", 1) + draw.chars(digits, 7);
      const check = weighted(payload, [9, 8, 7, 6, 5, 4, 3, 2]) % 11;
      return check === 10 ? undefined : `${payload}${check}`;
    }),
  }),
  (draw) => {
    const number = draw.int(10_000_000, 99_999_999);
    return {
      before: draw.pick(["DNI ", "DNI: ", "NIF "]),
      value: `${number}${"TRWAGMYFPDXBNJZSQVHLCKE"[number % 23]}`,
    };
  },
  (draw) => {
    const nine = draw.chars("123456789", 1) + draw.chars(digits, 8);
    const first = ((weighted(nine, [10, 9, 8, 7, 6, 5, 4, 3, 2]) * 10) % 11) % 10;
    const second = ((weighted(`${nine}${first}`, [11, 10, 9, 8, 7, 6, 5, 4, 3, 2]) * 10) % 11) % 10;
    return {
      before: draw.pick(["CPF ", "CPF: ", ""]),
      value: `${nine}${first}${second}`.replace(/^(...)(...)(...)/, "$1.$2.$3-"),
    };
  },
  (draw) => {
    const { yy, mm, dd } = dateOf(draw);
    const payload = `${yy}${mm}${dd}${draw.chars(digits, 4)}`;
    const check = (10 - (weighted(payload, [1, 3, 7, 9, 1, 3, 7, 9, 1, 3]) % 10)) % 10;
    return { before: draw.pick(["PESEL ", "PESEL: "]), value: `${payload}${check}` };
  },
  (draw) => {
    const { year, yy, mm, dd } = dateOf(draw);
    const whole = withLuhn(`${yy}${mm}${dd}${draw.chars(digits, 3)}`);
    const short = `${whole.slice(0, 6)}-${whole.slice(6)}`;
    return {
      before: draw.pick(["personnummer ", "personnummer: "]),
      value: draw.pick([short, `${String(year).slice(0, 2)}${short}`]),
    };
  },
  (draw) => ({
    before: draw.pick(["Aadhaar ", "Aadhaar number: "]),
    value: withVerhoeff(draw.chars("23456789", 1) + draw.chars(digits, 10)).replace(/^(....)(....)/, "$1 $2 "),
  }),
  (draw) => ({ before: draw.pick(["PAN ", "PAN: "]), value: `${draw.chars(letters, 3)}P${draw.shape("@####@")}` }),
  (draw) => {
    const { yy, mm } = dateOf(draw);
    const payload = `${draw.pick(["1", "2"])}${yy}${mm}${String(draw.int(1, 19)).padStart(2, "0")}${draw.shape("######")}`;
    const key = String(97n - (BigInt(payload) % 97n)).padStart(2, "0");
    const spaced = payload.replace(/^(.)(..)(..)(..)(...)(...)$/, "$1 $2 $3 $4 $5 $6");
    return {
      before: draw.pick(["NIR ", "numéro de sécurité sociale : "]),
      value: draw.pick([`${payload}${key}`, `${spaced} ${key}`]),
    };
  },
  (draw) => {
    const { yy, mm, dd } = dateOf(draw);
    const nine = `${yy}${mm}${dd}${draw.shape("###")}`;
    const whole = nine + String(97 - (Number(nine) % 97)).padStart(2, "0");
    return {
      before: draw.pick(["rijksregisternummer ", "numéro national "]),
      value: whole.replace(/^(..)(..)(..)(...)(..)$/, "$1.$2.$3-$4.$5"),
    };
  },
  (draw) => {
    const { year, mm, dd } = dateOf(draw);
    const payload = `110105${year}${mm}${dd}${draw.shape("###")}`;
    const sum = weighted(payload, [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]);
    return { before: draw.pick(["身份证号 ", "ID card number ", ""]), value: `${payload}${"10X98765432"[sum % 11]}` };
  },
  (draw) => ({
    before: draw.pick(["SIN ", "social insurance number "]),
    value: withLuhn(`${draw.pick(["1", "4", "5", "7"])}${draw.chars(digits, 7)}`).replace(/^(...)(...)/, "$1 $2 "),
  }),
];
