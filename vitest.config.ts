import { defineConfig } from "vitest/config";

/** Tests that are about one folder of `src/` mirror it under `test/`; the rest stand in these folders. */
const special = ["clients", "conformance", "contract", "e2e", "gates", "onnx"];

// The tests of the store run against a server where one is named.
for (const name of ["CLICKHOUSE_URL", "CLICKHOUSE_READER_USER", "CLICKHOUSE_READER_PASSWORD"]) {
  const value = process.env[name];
  if (value) process.env[`STORE_TEST_${name}`] = value;
}

// What a developer has set for a gateway of their own must not reach the tests.
for (const name of Object.keys(process.env)) {
  if (/^(GATEHOUSE|OPENAI|CLICKHOUSE)_/.test(name)) delete process.env[name];
}

const common = {
  environment: "node",
  pool: "forks",
  restoreMocks: true,
  unstubEnvs: true,
} as const;

export default defineConfig({
  test: {
    maxWorkers: 2,
    passWithNoTests: false,
    reporters: process.env["CI"]
      ? ["default", ["json", { outputFile: "node_modules/.cache/test-report.json" }]]
      : ["default"],
    projects: [
      {
        test: {
          ...common,
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: ["**/node_modules/**", ...special.map((folder) => `test/${folder}/**`)],
          testTimeout: 20_000 /* properties on a busy machine */,
        },
      },
      { test: { ...common, name: "contract", include: ["test/contract/**/*.test.ts"], testTimeout: 30_000 } },
      {
        test: { ...common, name: "e2e", include: ["test/e2e/**/*.test.ts"], testTimeout: 60_000, hookTimeout: 60_000 },
      },
      {
        test: {
          ...common,
          name: "conformance",
          include: ["test/conformance/**/*.test.ts", "test/clients/*.test.ts"],
          globalSetup: ["test/clients/install-clients.ts"],
          testTimeout: 120_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          ...common,
          name: "onnx",
          include: ["test/onnx/*.test.ts"],
          globalSetup: ["test/onnx/install-onnx.ts"],
          testTimeout: 120_000,
        },
      },
      { test: { ...common, name: "gates", include: ["test/gates/**/*.test.ts"], testTimeout: 300_000 } },
    ],
  },
});
