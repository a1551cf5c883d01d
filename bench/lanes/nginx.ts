import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { placeOf, startPinned } from "../pinned.ts";
import { freePort, portAnswers } from "./free-port.ts";
import type { RunningLane } from "./lane.ts";
import { chatPath } from "./lane.ts";

/** Why there is no nginx lane. */
export function nginxMissing(): string | undefined {
  return placeOf("nginx") === undefined ? "nginx is not installed" : undefined;
}

/** nginx as a reverse proxy with kept-alive upstream connections: the measure of what a proxy can do at all. */
export async function startNginx(upstreamUrl: string): Promise<RunningLane> {
  const directory = await mkdtemp(join(tmpdir(), "gatehouse-nginx-"));
  const port = await freePort();
  const file = join(directory, "nginx.conf");
  await writeFile(file, configuration(directory, port, new URL(upstreamUrl).host));
  const server = startPinned("subject", placeOf("nginx") ?? "nginx", ["-c", file, "-p", directory, "-e", "stderr"]);
  await portAnswers(`http://127.0.0.1:${port}/livez`);
  return {
    url: `http://127.0.0.1:${port}${chatPath}`,
    headers: {},
    pid: server.pid,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

// The mock's `x-accel-buffering: no` turns buffering off for streams, as nginx's users do.
function configuration(directory: string, port: number, upstreamHost: string): string {
  const places = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (name) => `${name}_temp_path ${directory}/${name};`,
  );
  return `daemon off;
worker_processes 1;
pid ${directory}/nginx.pid;
events { worker_connections 4096; }
http {
  access_log off;
  ${places.join("\n  ")}
  keepalive_requests 1000000000;
  upstream mock { server ${upstreamHost}; keepalive 256; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:${port} backlog=1024;
    location = /livez { return 200; }
    location / { proxy_pass http://mock; proxy_http_version 1.1; proxy_set_header Connection ""; }
  }
}
`;
}
