import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test, vi } from "vitest";
import { createSpectralChild } from "../../../src/governance/spectral-child.ts";
import { systemClock } from "../../../src/kernel/clock.ts";

vi.setConfig({ testTimeout: 120_000 });

/** Ways out of a process, each in the words of a module that a rule's package could have in it. */
const ways: Readonly<Record<string, string>> = {
  "a socket": `require("net").connect(9, "127.0.0.1")`,
  "a socket of its own making": `new (require("net").Socket)().connect(9, "127.0.0.1")`,
  "a port": `require("net").createServer().listen(0)`,
  TLS: `require("tls").connect(9, "127.0.0.1")`,
  HTTP: `require("http").get("http://127.0.0.1:9")`,
  HTTPS: `require("https").request("https://127.0.0.1:9")`,
  "HTTP/2": `require("http2").connect("http://127.0.0.1:9")`,
  datagrams: `require("dgram").createSocket("udp4").send("x", 9, "127.0.0.1")`,
  names: `require("dns").lookup("localhost", () => {})`,
  "names, by promise": `await require("dns/promises").lookup("localhost")`,
  "names, by an import": `await (await import("node:dns/promises")).resolve4("localhost")`,
  "a socket, by an import": `(await import("node:net")).connect(9, "127.0.0.1")`,
  fetch: `await fetch("data:,x")`,
  WebSocket: `new WebSocket("ws://127.0.0.1:9")`,
  "a process": `require("child_process").spawn(process.execPath)`,
  "a process, at once": `require("child_process").execFileSync(process.execPath, ["-v"])`,
  "a worker": `new (require("worker_threads").Worker)("", { eval: true })`,
  "a signal": `process.kill(process.pid, 0)`,
  "a module that is built in": `process.getBuiltinModule("net")`,
  "what is below modules": `process.binding("tcp_wrap")`,
};

test("after it there is no way to the network, to other processes or below modules", async () => {
  const folder = await mkdtemp(join(tmpdir(), "gatehouse-lock-down-"));
  try {
    const lockDown = new URL("../../../src/governance/spectral/lock-down.ts", import.meta.url).href;
    const tries = Object.entries(ways).map(([name, code]) => `[${JSON.stringify(name)}, async () => { ${code}; }]`);
    const script = join(folder, "script.mjs");
    await writeFile(
      script,
      `import { createRequire } from "node:module";
       import { lockDown } from ${JSON.stringify(lockDown)};
       const require = createRequire(import.meta.url);
       if (process.argv[2] === "locked") lockDown();
       process.on("uncaughtException", () => {}); // nobody answers where they are open
       const open = [];
       for (const [name, go] of [${tries.join(",\n")}]) {
         try { await go(); open.push(name); } catch { /* shut */ }
       }
       process.stdout.write(JSON.stringify(open), () => process.exit(0));`,
    );
    const run = async (word: string): Promise<unknown> =>
      JSON.parse((await promisify(execFile)(process.execPath, [script, word])).stdout);
    expect(await run("locked")).toEqual([]);
    expect(Object(await run("open")).length).toBeGreaterThan(Object.keys(ways).length / 2); // what is tried does work
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test.skipIf(process.platform !== "linux")(
  "the process has no environment, and Node's permission to read and for nothing else",
  async () => {
    await using child = createSpectralChild({ clock: systemClock });
    const bundle = { name: "none", ruleset: { rules: {} }, extended: {} };
    expect((await child.ask({ bundle, document: { text: "{}" } }, 60_000)).type).toBe("done");
    const words = (await readFile(`/proc/${child.pid}/cmdline`, "utf8")).split("\0");
    expect(words).toContain("--permission");
    const allowed = words.flatMap((word) => /^--allow-[a-z-]+/.exec(word) ?? []);
    expect([...new Set(allowed)]).toEqual(["--allow-fs-read"]);
    expect(words).not.toContain("--allow-fs-read=*");
    const environment = (await readFile(`/proc/${child.pid}/environ`, "utf8")).split("\0");
    const names = environment.map((line) => line.split("=")[0]).filter((name) => name !== "");
    expect(names.filter((name) => !name?.startsWith("NODE_CHANNEL_"))).toEqual([]);
  },
);
