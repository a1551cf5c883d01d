import { defineConfig } from "oxlint";

/** Files that a tool loads by their default export. */
const configFiles = ["*.config.ts", "scripts/lint/plugin.ts"];

export default defineConfig({
  plugins: ["eslint", "typescript", "unicorn", "oxc", "import", "promise", "node", "vitest"],
  jsPlugins: ["./scripts/lint/plugin.ts"],
  categories: { correctness: "error" },
  ignorePatterns: ["dist/**", "coverage/**", "**/fixtures/**"],
  options: { typeAware: true, reportUnusedDisableDirectives: "error" },
  rules: {
    // Who may import whom, and who may touch the outside: scripts/lint/boundaries.ts.
    "gatehouse/layers": "error",
    "gatehouse/drivers": "error",
    "gatehouse/outbound": "error",
    "gatehouse/environment": "error",
    "gatehouse/time": "error",
    "gatehouse/linear-patterns": "error",
    "gatehouse/plain-json": "error",
    "import/no-cycle": "error",
    "import/no-default-export": "error",

    // A lost promise is a lost audit row.
    "typescript/no-floating-promises": "error",
    "promise/no-callback-in-promise": "off", // takes any function called next, done or callback for one
    "typescript/no-misused-promises": ["error", { checksVoidReturn: { arguments: false } }],
    "typescript/await-thenable": "error",
    "typescript/only-throw-error": "error",
    "typescript/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],

    "typescript/no-explicit-any": "error",
    "typescript/no-non-null-assertion": "error",
    "typescript/no-unsafe-assignment": "error",
    "typescript/no-unsafe-call": "error",
    "typescript/no-unsafe-member-access": "error",
    "typescript/no-unsafe-return": "error",
    "typescript/consistent-type-imports": "error",
    "typescript/unbound-method": "off", // contracts are records of functions, written as methods; none uses `this`
    "eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_", caughtErrors: "all" }],
    "typescript/no-unnecessary-type-assertion": "error",

    "eslint/eqeqeq": "error",
    "eslint/no-console": "error",
    "eslint/no-eval": "error",
    "eslint/no-new-func": "error",
    "eslint/no-param-reassign": "error",
    "eslint/no-var": "error",
    "eslint/prefer-const": "error",
    "eslint/max-depth": ["error", 3],
    "eslint/max-lines": ["error", 500],
    "eslint/max-lines-per-function": ["error", { max: 80, skipComments: true }],
    "unicorn/prefer-node-protocol": "error",

    "vitest/no-focused-tests": "error",
    "vitest/no-disabled-tests": "error",
    "vitest/no-identical-title": "error",
  },
  overrides: [
    { files: configFiles, rules: { "import/no-default-export": "off" } },
    {
      files: ["test/**"],
      rules: {
        "eslint/max-lines-per-function": "off",
        "unicorn/no-thenable": "off",
        // Properties, tables and shared contract suites look wrong to these.
        "vitest/expect-expect": "off",
        "vitest/no-conditional-expect": "off",
        "vitest/no-conditional-tests": "off",
        "vitest/no-standalone-expect": "off",
        "vitest/require-to-throw-message": "off",
        "vitest/valid-describe-callback": "off",
        "vitest/valid-title": "off",
        "typescript/no-unsafe-assignment": "off",
        "typescript/no-unsafe-member-access": "off",
      },
    },
    { files: ["scripts/**", "bench/**"], rules: { "eslint/no-console": "off" } },
    // CommonJS that any old Node must be able to read.
    {
      files: ["**/*.cjs"],
      rules: {
        "eslint/no-console": "off",
        "eslint/no-var": "off",
        "eslint/prefer-const": "off",
        "unicorn/prefer-node-protocol": "off",
        "unicorn/prefer-string-starts-ends-with": "off",
        "typescript/no-unsafe-assignment": "off",
        "typescript/no-unsafe-call": "off",
        "typescript/no-unsafe-member-access": "off",
        "typescript/no-unsafe-return": "off",
      },
    },
  ],
});
