import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { boundaryOf, MultipartScan } from "../../../../src/gateway/llm/pass-through/multipart-scan.ts";

const boundary = "----form-7";

function part(head: string, content: string): string {
  return `--${boundary}\r\n${head}\r\n\r\n${content}\r\n`;
}

const field = (name: string, value: string): string => part(`Content-Disposition: form-data; name="${name}"`, value);
const file = (content: string): string =>
  part(`Content-Disposition: form-data; name="file"; filename="a.wav"\r\nContent-Type: audio/wav`, content);
const end = `--${boundary}--\r\n`;

function read(form: string | Buffer, cuts: readonly number[] = []): MultipartScan {
  const bytes = Buffer.from(form);
  const scan = new MultipartScan(boundary);
  let from = 0;
  for (const cut of [...cuts.map((each) => each % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length]) {
    scan.push(bytes.subarray(from, cut));
    from = cut;
  }
  scan.end();
  return scan;
}

test("the model is found with its place, wherever it stands and however the bytes are cut", () => {
  fc.assert(
    fc.property(
      fc.boolean(),
      fc.string({ maxLength: 300 }),
      fc.array(fc.nat(2_000), { maxLength: 30 }),
      (isFirst, content, cuts) => {
        const model = field("model", "whisper-1");
        const form = isFirst ? model + file(content) + end : file(content) + model + end;
        const found = read(form, cuts).model;
        const place = Buffer.from(form).indexOf("whisper-1");
        expect(found).toEqual({ value: "whisper-1", start: place, end: place + 9 });
      },
    ),
  );
});

test("a form without a model has none", () => {
  expect(read(file("x") + field("prompt", "model") + end).model).toBeUndefined();
});

describe("what two readers could take for two things is refused", () => {
  const good = field("model", "a");
  const cases = [
    { name: "a second model", form: good + field("model", "b") + end, why: "twice" },
    { name: "a model in brackets", form: field("model[]", "b") + end, why: "plain field" },
    { name: "a model in other letters", form: field("Model", "b") + end, why: "plain field" },
    {
      name: "a model that is a file",
      form: part('Content-Disposition: form-data; name="model"; filename="m"', "b") + end,
      why: "plain field",
    },
    {
      name: "a model in base64",
      form: part('Content-Disposition: form-data; name="model"\r\nContent-Transfer-Encoding: base64', "Yg==") + end,
      why: "plain field",
    },
    {
      name: "a name without quotes",
      form: part("Content-Disposition: form-data; name=model", "b") + end,
      why: "plainly",
    },
    {
      name: "a name in the extended form",
      form: part("Content-Disposition: form-data; name*=utf-8''model", "b") + end,
      why: "plainly",
    },
    {
      name: "a second name behind an escaped quote",
      form: part('Content-Disposition: form-data; name="file"; filename="a\\"; name="model"', "b") + end,
      why: "plainly",
    },
    {
      name: "two dispositions",
      form: part('Content-Disposition: form-data; name="a"\r\nContent-Disposition: form-data; name="model"', "b") + end,
      why: "plainly",
    },
    {
      name: "a folded head",
      form: part('Content-Disposition: form-data;\r\n name="model"', "b") + end,
      why: "plainly",
    },
    { name: "no disposition", form: part("Content-Type: text/plain", "b") + end, why: "plainly" },
    {
      name: "a boundary behind a bare line feed",
      form: `${good.slice(0, -2)}\n${field("model", "b")}${end}`,
      why: "begin its line",
    },
    { name: "a boundary with more behind it", form: `${good}--${boundary}x\r\n\r\n${end}`, why: "end its line" },
    { name: "words before the first boundary", form: `hello\r\n${good}${end}`, why: "begin with its boundary" },
    { name: "words behind the last boundary", form: `${good}${end}${field("model", "b")}`, why: "behind its last" },
    { name: "a form that breaks off", form: good, why: "ends before" },
    { name: "an endless head", form: `--${boundary}\r\n${"x".repeat(9_000)}`, why: "too long" },
    { name: "an endless model", form: field("model", "m".repeat(300)) + end, why: "too long" },
    { name: "an empty model", form: field("model", "") + end, why: "model's name" },
    { name: "a model with a line's end in it", form: field("model", "a\r\nb") + end, why: "model's name" },
  ];
  test.each(cases)("$name", ({ form, why }) => {
    expect(() => read(form)).toThrow(why);
    expect(() =>
      read(
        form,
        Array.from({ length: form.length }, (_, at) => at),
      ),
    ).toThrow(why);
  });
});

test.each([
  { name: "a bare boundary", type: "multipart/form-data; boundary=abc", boundary: "abc" },
  { name: "a quoted boundary", type: 'Multipart/Form-Data; boundary="a b"', boundary: undefined },
  { name: "a quoted boundary of safe characters", type: 'multipart/form-data;boundary="a(b)"', boundary: "a(b)" },
  { name: "no boundary", type: "multipart/form-data", boundary: undefined },
  { name: "two boundaries", type: "multipart/form-data; boundary=a; boundary=b", boundary: undefined },
  { name: "another type", type: "multipart/mixed; boundary=a", boundary: undefined },
  { name: "no type", type: undefined, boundary: undefined },
])("the boundary of $name is read, or nothing is", ({ type, boundary: wanted }) => {
  expect(boundaryOf(type)).toBe(wanted);
});
