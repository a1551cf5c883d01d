import { describe, expect, test } from "vitest";
import { compileFinder } from "../../../src/guardrails/pii/compile-finder.ts";
import { nationalIds } from "../../../src/guardrails/pii/national-ids/national-ids.ts";
import { piiConfig } from "../../../src/guardrails/pii/pii-config.ts";

/** What the built-in recognisers find: kind and text. */
function found(text: string, config: object = {}): [kind: string, text: string][] {
  const { find } = compileFinder(piiConfig.parse(config), "request");
  return (find?.(text) ?? []).map(({ kind, start, end }) => [kind.id, text.slice(start, end)]);
}

/** Numbers that their issuers, or the texts that describe them, give as examples; none is anybody's. */
const examples: Readonly<Record<string, readonly string[]>> = {
  email: ["ann.lee+news@mail.example.co.uk", "o'neil@example.org", "jörg@exämple.de", "a@b.museum", "x%40example.com"],
  phone: [
    "+49 30 901820",
    "+1 (415) 555-2671",
    "(415) 555-2671",
    "415-555-2671",
    "+33 (0)1 42 68 53 00",
    "+442079460958",
    "+31612345678",
    "01.42.68.53.00",
    "98765 43210",
    "612 34 56 78",
    "+1 (415) 555-2671 ext. 89",
  ],
  "credit-card": [
    "4111 1111 1111 1111",
    "378282246310005",
    "5555-5555-5555-4444",
    "6011111111111117",
    "3530111333300000",
  ],
  iban: [
    "DE89 3704 0044 0532 0130 00",
    "GB82WEST12345698765432",
    "FR14 2004 1010 0505 0001 3M02 606",
    "no9386011117947",
  ],
  "ip-address": ["192.168.10.5", "2001:db8::8a2e:370:7334", "fe80::1ff:fe23:4567:890a"],
  "us-ssn": ["078-05-1120", "219 09 9999"],
  "us-itin": ["912-70-1234"],
  "uk-nino": ["AB123456C", "ab 12 34 56 c"],
  "uk-nhs": ["NHS 943 476 5919"],
  "de-steuer-id": ["86095742719", "65 929 970 489"],
  "de-sozialversicherung": ["15 070649 C 103"],
  "fr-nir": ["1 85 05 78 006 084 91"],
  "es-dni": ["12345678Z", "X1234567L", "12.345.678-Z"],
  "it-codice-fiscale": ["RSSMRA85T10A562S", "RSS MRA 85T10 A562S"],
  "pl-pesel": ["44051401359"],
  "nl-bsn": ["BSN 111222333"],
  "se-personnummer": ["811218-9876", "19811218-9876"],
  "br-cpf": ["529.982.247-25"],
  "in-aadhaar": ["2341 2341 2346"],
  "in-pan": ["ABCPE1234F"],
  "ca-sin": ["130 692 544"],
  "au-tfn": ["TFN 123 456 782"],
  "au-medicare": ["Medicare 2123 45670 1"],
  "ch-ahv": ["756.9217.0769.85"],
  "be-rijksregister": ["93.05.18-223.61"],
  "fi-hetu": ["131052-308T"],
  "dk-cpr": ["211062-5629"],
  "no-fodselsnummer": ["15076500565"],
  "pt-nif": ["NIF 123456789"],
  "at-svnr": ["SVNR 1237 010180"],
  "ro-cnp": ["1800101221144"],
  "cz-rodne-cislo": ["780123/3540"],
  "bg-egn": ["EGN 7523169263"],
  "tr-kimlik": ["10000000146"],
  "cn-resident-id": ["11010519491231002X"],
  "kr-rrn": ["850101-1234567"],
  "jp-my-number": ["My Number 1234 5678 9018"],
  "sg-nric": ["S1234567D"],
  "za-id": ["8001015009087"],
  "mx-curp": ["HEGG560427MVZRRL04"],
  "cl-rut": ["12.345.678-5"],
  "ar-cuit": ["20-12345678-6"],
  "ie-pps": ["PPS 1234567T"],
  "il-id": ["Teudat Zehut 123456782"],
  "date-of-birth": ["born 3 March 1990", "DOB: 12/05/1981", "Geburtsdatum 03.04.1977", "birthday: March 3rd, 1990"],
  passport: ["passport no. C01X00T47"],
  "driving-licence": ["MORGA657054SM9IJ", "driver's license D123-4567-8901"],
};

describe("the recogniser", () => {
  test.each(Object.entries(examples))(
    "of %s finds what is one, in the midst of a sentence and alone",
    (kind, texts) => {
      for (const text of texts) {
        for (const sentence of [`It is ${text}, I think.`, text, `<b>${text}</b>`, `"${text}"`]) {
          const [[foundKind, piece] = ["none", "none"], ...others] = found(sentence);
          expect({ sentence, foundKind, others }).toEqual({ sentence, foundKind: kind, others: [] });
          expect(text.endsWith(piece)).toBe(true);
        }
      }
    },
  );

  test.each(Object.entries(examples).filter(([kind]) => hasCheck(kind)))(
    "of %s wants its check digits to fit",
    (kind, texts) => {
      for (const text of texts) {
        const last = text.search(/\d(?=\D*$)/);
        const wrong = `${text.slice(0, last)}${(Number(text[last]) + 1) % 10}${text.slice(last + 1)}`;
        expect({ wrong, found: found(wrong).filter(([each]) => each === kind) }).toEqual({ wrong, found: [] });
      }
    },
  );

  test("of each national id is tried by an example", () => {
    expect(nationalIds.map(({ id }) => id).filter((id) => examples[id] === undefined)).toEqual([]);
  });
});

/** Kinds whose examples end in, or contain, digits that another digit breaks. */
function hasCheck(kind: string): boolean {
  const unchecked = ["email", "phone", "ip-address", "us-ssn", "us-itin", "uk-nino", "in-pan", "dk-cpr", "kr-rrn"];
  const byWords = ["au-medicare", "mx-curp", "date-of-birth", "passport", "driving-licence"];
  return ![...unchecked, ...byWords].includes(kind);
}

describe("what looks like personal data and is none", () => {
  test.each([
    [
      "order numbers, times and versions",
      "Order 1234567890 of 2024-01-02 03:04:05 (epoch 1700000000, 1700000000000), v1.2.3.4, version 10.2.3.4, section 1.2.3.4, Chrome/120.0.0.0",
    ],
    ["a part of a longer number", "id 94111111111111111, 123-45-6789-0, 3.078-05-1120, 1.192.168.10.5"],
    [
      "hashes and UUIDs",
      "550e8400-e29b-41d4-a716-446655440000 d41d8cd98f00b204e9800998ecf8427e sha256:9f86d081884c7d659a2feaa0",
    ],
    [
      "remotes, credentials of URLs, pictures and handles",
      "git@example.com:a/b.git https://me:pw@example.com/ logo@2x.png @ann@social.example pkg@1.2.3",
    ],
    ["machines that are everybody's", "127.0.0.1 0.0.0.0 255.255.255.0 ::1 12:34:56 std::vector a::b"],
    [
      "prices, sizes and ranges",
      "from 1,000,000 to 2,500,000 USD, 1920x1080, pages 100-200, 50.1109, 8.6821, 1984/85, 2.5-3.75",
    ],
    ["dates of other events", "founded on 12 March 1990, released 2021-03-04"],
    ["numbers without the word that they need", "111222333 123456782 9434765919 123456789"],
  ])("%s", (_name, text) => {
    expect(found(text)).toEqual([]);
  });
});

describe("writing that hides", () => {
  test.each([
    ["full-width digits", "４１１１ １１１１ １１１１ １１１１"],
    ["characters of no width", "4111\u200b1111\u200b1111\u2060111\u00ad1"],
    ["marks of direction", "\u202e4111 1111 1111 1111\u202c"],
    ["Arabic digits", "٤١١١ ١١١١ ١١١١ ١١١١"],
    ["blanks and dashes of typography", "4111\u00a01111\u20111111\u20111111"],
  ])("is seen through: %s", (_name, text) => {
    const all = found(`card: ${text}.`);
    expect(all.map(([kind]) => kind)).toEqual(["credit-card"]);
    expect(`card: ${text}.`.replace(all[0]?.[1] ?? "", "")).toMatch(/^card: \u202e?\.$/);
  });

  test("in escapes of JSON, once and twice, gives a border to what follows", () => {
    expect(found(String.raw`{"text":"Hi\nann@example.com\t078-05-1120"}`)).toEqual([
      ["email", "ann@example.com"],
      ["us-ssn", "078-05-1120"],
    ]);
    expect(found(String.raw`"{\"text\":\"Hi\\nann@example.com\\u0020bob@example.com\"}"`)).toEqual([
      ["email", "ann@example.com"],
      ["email", "bob@example.com"],
    ]);
  });

  test("is left where it breaks no number, lone surrogates and all", () => {
    const text = "\ud800 שלום \udc00 ann@example.com \ud83d\udc69\u200d\ud83d\udcbb";
    expect(found(text)).toEqual([["email", "ann@example.com"]]);
  });
});

describe("what the operator adds", () => {
  test("names of a list are found as whole words in any case, the longest first", () => {
    const names = ["Ann", "Ann Lee", "José Müller-Lüdenscheidt"];
    expect(found("ANN LEE met ann, Annabel and josé müller-lüdenscheidt. Ann! Lee", { names })).toEqual([
      ["name", "ANN LEE"],
      ["name", "ann"],
      ["name", "josé müller-lüdenscheidt"],
      ["name", "Ann! Lee"],
    ]);
  });

  test("own kinds are found by their patterns, near their words", () => {
    const custom = [{ name: "employee-number", pattern: "\\bE\\d{6}\\b", near: ["Employee"] }];
    expect(
      found("employee E123456; part E654321 of the machine, which is far away from any such word, is E999999", {
        custom,
      }),
    ).toEqual([
      ["employee-number", "E123456"],
      ["employee-number", "E654321"],
    ]);
  });

  test("an own pattern that matches nothing, or a country without phones, refuses publishing", () => {
    expect(() => found("", { custom: [{ name: "x", pattern: "a*" }] })).toThrow("matches the empty text");
    expect(() => found("", { phoneCountries: ["XX"] })).toThrow("XX");
  });

  test("kinds that are off are not looked for", () => {
    expect(found("ann@example.com 078-05-1120", { entities: { email: "off" } })).toEqual([["us-ssn", "078-05-1120"]]);
    expect(found("ann@example.com 078-05-1120", { action: "off", entities: { email: "mask" } })).toEqual([
      ["email", "ann@example.com"],
    ]);
    expect(found("219-09-9999 AB123456C", { nationalIds: ["uk-nino"] })).toEqual([["uk-nino", "AB123456C"]]);
  });
});
