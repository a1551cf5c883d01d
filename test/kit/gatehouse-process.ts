import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** Gatehouse in a process of its own, started as its users start it. Disposing kills it. */
export interface GatehouseProcess extends AsyncDisposable {
  readonly pid: number;
  readonly gatewayUrl: string;
  readonly controlUrl: string;
  /** What it has printed so far on both of its outputs. */
  readonly printed: { readonly out: string; readonly err: string };
  /** Sends a signal and resolves when the process has ended. */
  end(signal: NodeJS.Signals): Promise<Ended>;
  /** A call of the control API; the answer's status and its parsed body. */
  control(method: string, path: string, body?: unknown): Promise<ControlAnswer>;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface ControlAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body as JSON; undefined when it is none. */
  readonly json: unknown;
}

export interface ProcessOptions {
  readonly dataDir: string;
  readonly adminToken: string;
  /** Further words of the command line. */
  readonly args?: readonly string[];
  /** Beside what production asks for. */
  readonly env?: Readonly<Record<string, string>>;
}

const bin = fileURLToPath(new URL("../../bin/gatehouse.cjs", import.meta.url));

/** Starts one in production mode on free ports; rejects with what it printed when it does not come up. */
export async function startGatehouseProcess(options: ProcessOptions): Promise<GatehouseProcess> {
  const { child, printed, ended } = spawnGatehouse(options);
  const urls = await new Promise<RegExpExecArray>((resolve, reject) => {
    child.stdout.on("data", () => {
      const found = /^Ready .*: gateway (\S+), control plane (\S+?)\. /m.exec(printed.out);
      if (found !== null) resolve(found);
    });
    void ended.then(({ code }) => reject(new Error(`ended with ${code}:\n${printed.out}${printed.err}`)));
  });
  const [, gatewayUrl = "", controlUrl = ""] = urls;
  const end = (signal: NodeJS.Signals): Promise<Ended> => {
    child.kill(signal);
    return ended;
  };
  return {
    pid: child.pid ?? 0,
    gatewayUrl,
    controlUrl,
    printed,
    end,
    async control(method, path, body) {
      const answer = await fetch(`${controlUrl}/api/v1${path}`, {
        method,
        headers: {
          authorization: `Bearer ${options.adminToken}`,
          "content-type": "application/json",
          ...(!path.startsWith("/secrets/") && { "if-match": "*" }), // a secret is made by PUT, where this would refuse
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      const text = await answer.text();
      return { status: answer.status, headers: answer.headers, text, json: parse(text) };
    },
    async [Symbol.asyncDispose]() {
      await end("SIGKILL");
    },
  };
}

/** Starts one that is expected to refuse, and resolves with how it ended and what it printed. */
export async function refusedStart(options: ProcessOptions): Promise<Ended & { readonly err: string }> {
  const { printed, ended } = spawnGatehouse(options);
  return { ...(await ended), err: printed.err };
}

function spawnGatehouse({ dataDir, adminToken, env = {}, args = [] }: ProcessOptions) {
  const words = [bin, "start", "--data", dataDir, "--port", "0", "--control-port", "0", ...args];
  const child = spawn(process.execPath, words, {
    cwd: dataDir,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      GATEHOUSE_ENV: "production",
      GATEHOUSE_ANALYTICS_MODE: "off",
      GATEHOUSE_ADMIN_TOKEN: adminToken,
      GATEHOUSE_ENCRYPTION_KEY: "5a".repeat(32),
      GATEHOUSE_NETWORK_ALLOW_CIDRS: "127.0.0.0/8",
      ...env,
    },
  });
  const printed = { out: "", err: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    printed.out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    printed.err += text;
  });
  const ended = once(child, "close").then(([code, signal]): Ended => ({ code, signal }));
  return { child, printed, ended };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
