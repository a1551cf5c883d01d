import { createHash, randomUUID } from "node:crypto";
import { createServer } from "node:http";
import type { JWK } from "jose";
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from "jose";
import type { ManualClock } from "../kit/manual-clock.ts";
import { manualClock } from "../kit/manual-clock.ts";

/** An OpenID Connect server elsewhere, on a socket: it does what a test wants, wrong things too. */
export interface LoginServer extends AsyncDisposable {
  readonly issuer: string;
  readonly clock: ManualClock;
  /** Who is signed in there. */
  person: Readonly<Record<string, unknown>>;
  idTokenChanges: Readonly<Record<string, unknown>>;
  signedBy: "key" | "none" | "HS256" | "other-key";
  /** What the server would send the browser back with. */
  authorize(url: URL): string;
  /** Takes codes again that were taken, as a bad server may. */
  forgetCodes(): void;
}

interface Code {
  readonly challenge: string;
  readonly nonce: string;
  readonly redirectUri: string;
}

export async function startLoginServer(): Promise<LoginServer> {
  const clock = manualClock();
  const { publicKey, privateKey } = await generateKeyPair("ES256");
  const stranger = await generateKeyPair("ES256");
  const jwk: JWK = { ...(await exportJWK(publicKey)), kid: "k1", alg: "ES256", use: "sig" };
  const codes = new Map<string, Code>();
  const used = new Set<string>();

  const idToken = async (nonce: string): Promise<string> => {
    const now = Math.floor(clock.now() / 1_000);
    const usual = { iss: login.issuer, aud: "gatehouse", iat: now, exp: now + 300, nonce, ...login.person };
    const claims = JSON.parse(JSON.stringify({ ...usual, ...login.idTokenChanges })) as Record<string, unknown>; // drops what is undefined
    if (login.signedBy === "none") return new UnsecuredJWT(claims).encode();
    if (login.signedBy === "HS256") {
      const shared = Buffer.from(JSON.stringify(jwk));
      return new SignJWT(claims).setProtectedHeader({ alg: "HS256", kid: "k1" }).sign(shared);
    }
    const key = login.signedBy === "key" ? privateKey : stranger.privateKey;
    return new SignJWT(claims).setProtectedHeader({ alg: "ES256", kid: "k1" }).sign(key);
  };
  const redeem = async (form: URLSearchParams, authorization: string | undefined): Promise<object | undefined> => {
    const text = form.get("code") ?? "";
    const code = codes.get(text);
    const challenge = createHash("sha256")
      .update(form.get("code_verifier") ?? "")
      .digest("base64url");
    const isClient = authorization === `Basic ${Buffer.from("gatehouse:client-s3cret").toString("base64")}`;
    if (!isClient || code?.challenge !== challenge || used.has(text)) return undefined;
    if (code.redirectUri !== form.get("redirect_uri")) return undefined;
    used.add(text);
    return { access_token: "at", token_type: "Bearer", id_token: await idToken(code.nonce) };
  };

  const server = createServer((request, response) => {
    const answer = (status: number, body: object): void => {
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    };
    if (request.url === "/.well-known/openid-configuration") {
      answer(200, {
        issuer: login.issuer,
        authorization_endpoint: `${login.issuer}/authorize`,
        token_endpoint: `${login.issuer}/token`,
        jwks_uri: `${login.issuer}/jwks`,
        authorization_response_iss_parameter_supported: true,
      });
      return;
    }
    if (request.url === "/jwks") {
      answer(200, { keys: [jwk] });
      return;
    }
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () => {
      void redeem(new URLSearchParams(body), request.headers.authorization).then((tokens) =>
        tokens === undefined ? answer(400, { error: "invalid_grant" }) : answer(200, tokens),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const login: LoginServer = {
    issuer: `http://127.0.0.1:${port}`,
    clock,
    person: { sub: "u-1", preferred_username: "ada", groups: ["analysts"] },
    idTokenChanges: {},
    signedBy: "key",
    authorize(url) {
      const asked = (name: string): string => url.searchParams.get(name) ?? "";
      const code = randomUUID();
      codes.set(code, {
        challenge: asked("code_challenge"),
        nonce: asked("nonce"),
        redirectUri: asked("redirect_uri"),
      });
      return new URLSearchParams({ code, state: asked("state"), iss: login.issuer }).toString();
    },
    forgetCodes: () => used.clear(),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return login;
}
