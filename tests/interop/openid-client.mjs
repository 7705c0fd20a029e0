// A certified relying party (npm openid-client) goes through one sign-in and prints what it got.
// The person is already signed in: COOKIE is their session. Everything else is the library's.
import { createPrivateKey } from "node:crypto";
import * as oidc from "openid-client";

const { ISSUER, COOKIE, CLIENT_ID, CLIENT_SECRET, CLIENT_KEY, CALLBACK, WITH = "", SCOPE = "openid" } = process.env;
const wants = new Set(WITH.split(",").filter(Boolean));

async function privateKey() {
  const pkcs8 = createPrivateKey(CLIENT_KEY).export({ type: "pkcs8", format: "der" });
  return crypto.subtle.importKey("pkcs8", pkcs8, { name: "ECDSA", namedCurve: "P-256" }, false, ["sign"]);
}

async function authentication() {
  if (wants.has("private_key_jwt")) return oidc.PrivateKeyJwt({ key: await privateKey(), kid: "client-key" });
  return wants.has("post") ? oidc.ClientSecretPost(CLIENT_SECRET) : oidc.ClientSecretBasic(CLIENT_SECRET);
}

const metadata = wants.has("signed_userinfo") ? { userinfo_signed_response_alg: "ES256" } : {};
metadata.id_token_signed_response_alg = "ES256";
if (wants.has("jarm")) metadata.authorization_signed_response_alg = "ES256";
const config = await oidc.discovery(new URL(ISSUER), CLIENT_ID, metadata, await authentication(), {
  execute: [oidc.allowInsecureRequests],
});
if (wants.has("jarm")) oidc.useJwtResponseMode(config);

const dpop = wants.has("dpop") ? oidc.getDPoPHandle(config, await oidc.randomDPoPKeyPair("ES256")) : undefined;
const verifier = oidc.randomPKCECodeVerifier();
const asked = {
  redirect_uri: CALLBACK,
  scope: SCOPE,
  code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
  code_challenge_method: "S256",
  state: oidc.randomState(),
  nonce: oidc.randomNonce(),
  max_age: "3600",
};

async function authorizationUrl() {
  if (wants.has("jar")) {
    const signed = await oidc.buildAuthorizationUrlWithJAR(config, asked, { key: await privateKey(), kid: "client-key" });
    if (!wants.has("par")) return signed;
    return oidc.buildAuthorizationUrlWithPAR(config, signed.searchParams, { DPoP: dpop });
  }
  return wants.has("par")
    ? oidc.buildAuthorizationUrlWithPAR(config, asked, { DPoP: dpop })
    : oidc.buildAuthorizationUrl(config, asked);
}

const answer = await fetch(await authorizationUrl(), { redirect: "manual", headers: { cookie: COOKIE } });
const location = answer.headers.get("location") ?? "";
if (!location.startsWith(CALLBACK)) throw new Error(`sent to ${location.slice(0, 80)} (${answer.status})`);

const checks = { pkceCodeVerifier: verifier, expectedNonce: asked.nonce, expectedState: asked.state, maxAge: 3600 };
const tokens = await oidc.authorizationCodeGrant(config, new URL(location), checks, undefined, { DPoP: dpop });
const claims = tokens.claims();
const userinfo = await oidc.fetchUserInfo(config, tokens.access_token, claims.sub, { DPoP: dpop });
const told = { claims, userinfo, token_type: tokens.token_type };
if (tokens.refresh_token) {
  const again = await oidc.refreshTokenGrant(config, tokens.refresh_token, undefined, { DPoP: dpop });
  told.refreshed = again.claims().sub === claims.sub;
  if (wants.has("introspect")) told.introspected = await oidc.tokenIntrospection(config, again.access_token);
  if (wants.has("revoke")) {
    await oidc.tokenRevocation(config, again.refresh_token);
    told.after = await oidc.tokenIntrospection(config, again.access_token);
  }
}
console.log(JSON.stringify(told));
