// A small OAuth 2.0 server: whoever asks is logged in at once. It checks what RFC 6749 and, where a client
// sends a challenge, RFC 7636 (PKCE) ask of it, and gives each code for one token.
import { createHash, randomBytes } from "node:crypto";
import express from "express";
import { listen } from "./listen.ts";

/** The client that it knows. */
export const oauthClient = { clientID: "the client", clientSecret: "its secret" } as const;

/** Starts it; the caller closes it. */
export async function startOAuth2Server() {
  const codes = new Map<
    string,
    { readonly challenge: string | undefined; readonly redirect: string }
  >();
  const app = express();
  app.use(express.urlencoded());
  app.get("/authorize", ({ url: asked }, res) => {
    const query = new URL(asked, "http://localhost").searchParams;
    const redirect = new URL(query.get("redirect_uri") ?? "");
    const code = randomBytes(16).toString("hex");
    codes.set(code, {
      challenge: query.get("code_challenge") ?? undefined,
      redirect: redirect.href,
    });
    redirect.searchParams.set("code", code);
    redirect.searchParams.set("state", query.get("state") ?? "");
    res.redirect(redirect.href);
  });
  app.post("/token", ({ body }, res) => {
    const form = body as Readonly<Record<string, string>>;
    const known = codes.get(form["code"] ?? "");
    codes.delete(form["code"] ?? "");
    const { code_verifier: verifier } = form;
    const challenge = verifier && createHash("sha256").update(verifier).digest("base64url");
    const isClient =
      form["client_id"] === oauthClient.clientID &&
      form["client_secret"] === oauthClient.clientSecret;
    const isRight =
      known !== undefined &&
      known.challenge === challenge &&
      known.redirect === form["redirect_uri"];
    if (!isClient || !isRight) res.status(400).json({ error: "invalid_grant" });
    else res.json({ access_token: "a token for alice", token_type: "Bearer" });
  });
  const { url, close } = await listen(app as never);
  return { url, close };
}
