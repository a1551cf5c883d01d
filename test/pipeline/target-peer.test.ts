import { expect, test } from "vitest";
import { peerAt } from "../../src/pipeline/target-peer.ts";

test.each([
  { address: "https://api.example.com/v1", expected: { address: "api.example.com", port: 443 } },
  { address: "http://api.example.com", expected: { address: "api.example.com", port: 80 } },
  { address: "http://127.0.0.1:8000/v1", expected: { address: "127.0.0.1", port: 8_000 } },
  { address: "https://[::1]:8443", expected: { address: "::1", port: 8_443 } },
  { address: "https://user:canary@api.example.com/?key=canary", expected: { address: "api.example.com", port: 443 } },
])("of $address the host and the port are told, and nothing else", ({ address, expected }) => {
  expect(peerAt(address)).toEqual({ plugin: undefined, transport: "tcp", ...expected });
});
