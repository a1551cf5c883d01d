const targets = [{ provider: "east" }, { provider: "west", weight: 0 }];

/** An API that keeps to every guideline. */
export const goodLlmApi = {
  apiVersion: "gatehouse/v1",
  kind: "LlmApi",
  metadata: { name: "assistant", labels: {} },
  spec: {
    description: "Answers questions of the shop's customers.",
    context: "/assistant",
    security: { apiKey: { header: "apikey" }, keyless: false, subscription: "none" },
    models: [{ name: "small-1" }],
    maxOutputTokens: 4096,
    policies: [
      { use: "rate-limit", with: { requests: 60, windowMs: 60_000 }, mode: "enforce" },
      { use: "token-limit", with: { tokens: 100_000, window: "day" }, mode: "enforce" },
      { use: "pii", with: {}, mode: "enforce" },
      { use: "prompt-injection", with: {}, mode: "monitor" },
    ],
    upstream: {
      production: { targets, maxAttempts: 2, breaker: { failures: 5 } },
      sandbox: { targets: [{ provider: "small" }], maxAttempts: 2, breaker: { failures: 5 } },
    },
  },
};

/** A provider that keeps to every guideline. */
export const goodLlmProvider = {
  apiVersion: "gatehouse/v1",
  kind: "LlmProvider",
  metadata: { name: "east", labels: {} },
  spec: {
    use: "openai-compatible",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a reference, as resources write them
    with: { baseUrl: "https://llm.example.com/v1", apiKey: "${secret:east-key}" },
    prices: { "*": { input: "0", output: "0" } },
  },
};

const { maxOutputTokens: _bound, ...unbounded } = goodLlmApi.spec;
const { prices: _prices, ...unpriced } = goodLlmProvider.spec;
const [rate, tokens, personal, injection] = goodLlmApi.spec.policies;
const withSpec = (spec: object) => ({ ...goodLlmApi, spec: { ...goodLlmApi.spec, ...spec } });
const production = (block: object) =>
  withSpec({
    upstream: { ...goodLlmApi.spec.upstream, production: { ...goodLlmApi.spec.upstream.production, ...block } },
  });
const provider = (config: object) => ({
  ...goodLlmProvider,
  spec: { ...goodLlmProvider.spec, with: { ...goodLlmProvider.spec.with, ...config } },
});

/** For each rule of `gatehouse:llm` an API or a provider that breaks it. */
export const brokenLlmApis: Readonly<Record<string, object>> = {
  "llm-described": withSpec({ description: "" }),
  "llm-security-required": withSpec({ security: { apiKey: false, keyless: true } }),
  "llm-spending-limited": withSpec({ policies: [rate, personal, injection] }),
  "llm-requests-limited": withSpec({ policies: [tokens, personal, injection] }),
  "llm-limits-enforced": withSpec({ policies: [{ ...rate, mode: "monitor" }, tokens, personal, injection] }),
  "llm-answers-bounded": { ...goodLlmApi, spec: unbounded },
  "llm-models-named": withSpec({ models: [{ name: "*" }] }),
  "llm-guardrails": withSpec({ policies: [rate, tokens] }),
  "llm-personal-data-guarded": withSpec({ policies: [rate, tokens, injection] }),
  "llm-injection-guarded": withSpec({ policies: [rate, tokens, personal] }),
  "llm-guardrails-hold": withSpec({ policies: [rate, tokens, { ...personal, onError: "continue" }, injection] }),
  "llm-fallback": production({ targets: [{ provider: "east" }] }),
  "llm-fallback-other-provider": production({
    targets: [{ provider: "east" }, { provider: "east", model: "large-1" }],
  }),
  "llm-fallback-tried": production({ maxAttempts: 1 }),
  "llm-breaker-on": production({ breaker: { failures: 0 } }),
  "llm-sandbox-apart": withSpec({ upstream: { ...goodLlmApi.spec.upstream, sandbox: { sameAs: "production" } } }),
  "llm-no-secrets": provider({ headers: { "x-key": `AKIA${"QWERTYUIOPASDFGH"}` } }),
  "llm-provider-secret-reference": provider({ apiKey: "••••" }),
  "llm-provider-tls": provider({ baseUrl: "http://llm.example.com/v1" }),
  "llm-provider-priced": { ...goodLlmProvider, spec: unpriced },
};
