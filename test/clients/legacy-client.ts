import { clientFile } from "./install-clients.ts";

/** What the tests use of the SDK's 1.x client, which is installed only when they run. */
export interface LegacyClient {
  listTools(): Promise<{ readonly tools: readonly { readonly name: string }[] }>;
  callTool(
    call: { readonly name: string; readonly arguments: object },
    schema?: undefined,
    options?: { readonly onprogress?: (progress: { progress: number }) => void },
  ): Promise<{ readonly content: unknown; readonly isError?: boolean }>;
  readResource(params: { readonly uri: string }): Promise<unknown>;
  getPrompt(params: { readonly name: string }): Promise<unknown>;
  close(): Promise<void>;
}

interface LegacySdk {
  readonly Client: new (
    info: object,
    options: object,
  ) => LegacyClient & {
    connect(transport: object): Promise<void>;
    setRequestHandler(schema: unknown, handler: () => Promise<object>): void;
  };
  readonly StreamableHTTPClientTransport: new (url: URL, options: object) => object;
  readonly CreateMessageRequestSchema: unknown;
  readonly ElicitRequestSchema: unknown;
}

/** An unmodified 1.x client, connected, that answers samples and forms. */
export async function connectLegacyClient(url: string, key: string): Promise<LegacyClient> {
  const parts = ["client/index.js", "client/streamableHttp.js", "types.js"];
  const loaded = await Promise.all(
    parts.map(
      async (part): Promise<object> =>
        (await import(clientFile(`@modelcontextprotocol/sdk/dist/esm/${part}`))) as object,
    ), // modules are objects
  );
  const sdk = Object.assign({}, ...loaded) as LegacySdk; // the parts of 1.32 that are used here
  const client = new sdk.Client(
    { name: "old-client", version: "1.0.0" },
    { capabilities: { sampling: {}, elicitation: {} } },
  );
  client.setRequestHandler(sdk.CreateMessageRequestSchema, () =>
    Promise.resolve({ model: "m", role: "assistant", content: { type: "text", text: "Paris" } }),
  );
  client.setRequestHandler(sdk.ElicitRequestSchema, () =>
    Promise.resolve({ action: "accept", content: { username: "ada", email: "ada@example.com" } }),
  );
  const headers = { authorization: `Bearer ${key}` };
  await client.connect(new sdk.StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }));
  return client;
}
