// npm oidc-provider as a person's provider abroad: one person, one button, the level that is asked.
// Everything it can demand of a relying party is demanded of us: a pushed and signed request, our
// key, DPoP where DPOP is set; its answers are signed and then encrypted to us.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { Provider } from "oidc-provider";

const { PORT, REDIRECT, JWKS, LEVEL } = process.env;
const issuer = `http://127.0.0.1:${PORT}`;
const person = {
  given_name: "Sarah", family_name: "Onases", birthdate: "1975-04-20", gender: "female",
  birthplace: "75056", birthcountry: "99100",
};
const provider = new Provider(issuer, {
  acrValues: ["eidas1", "eidas2", "eidas3"],
  claims: { openid: ["sub"], profile: Object.keys(person), acr: null, auth_time: null, iss: null },
  clients: [{
    client_id: "miftah",
    redirect_uris: [REDIRECT],
    response_types: ["code"],
    grant_types: ["authorization_code"],
    token_endpoint_auth_method: "private_key_jwt",
    token_endpoint_auth_signing_alg: "ES256",
    request_object_signing_alg: "ES256",
    require_signed_request_object: true,
    require_pushed_authorization_requests: true,
    dpop_bound_access_tokens: Boolean(process.env.DPOP),
    id_token_encrypted_response_alg: "ECDH-ES+A256KW",
    id_token_encrypted_response_enc: "A256GCM",
    userinfo_signed_response_alg: "RS256",
    userinfo_encrypted_response_alg: "ECDH-ES+A256KW",
    userinfo_encrypted_response_enc: "A256GCM",
    jwks: JSON.parse(readFileSync(JWKS, "utf8")),
  }],
  cookies: { keys: ["known-to-this-test-alone"] },
  features: {
    devInteractions: { enabled: false },
    dPoP: { enabled: true, nonceSecret: Buffer.alloc(32, 1), requireNonce: () => true },
    encryption: { enabled: true },
    jwtUserinfo: { enabled: true },
    pushedAuthorizationRequests: { enabled: true },
    requestObjects: { enabled: true },
  },
  enabledJWA: {
    clientAuthSigningAlgValues: ["ES256"],
    requestObjectSigningAlgValues: ["ES256"],
    dPoPSigningAlgValues: ["ES256"],
    idTokenEncryptionAlgValues: ["ECDH-ES+A256KW"],
    userinfoEncryptionAlgValues: ["ECDH-ES+A256KW"],
  },
  findAccount: (_ctx, id) => ({ accountId: id, claims: () => ({ sub: id, ...person }) }),
  interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
  pkce: { required: () => true },
});
provider.on("server_error", (_ctx, error) => console.error(error));
for (const event of ["authorization.error", "grant.error", "pushed_authorization_request.error"])
  provider.on(event, (_ctx, error) => console.error(event, error.message, error.error_detail));

const page = `<!doctype html><title>oidc-provider</title>
<form method="post"><button id="sarah">Sarah</button></form>`;

async function interact(request, response) {
  const { params, prompt, grantId } = await provider.interactionDetails(request, response);
  if (request.method !== "POST" && prompt.name === "login") return response.end(page);
  const grant = new provider.Grant({ accountId: "sarah", clientId: params.client_id });
  grant.addOIDCScope(params.scope);
  const done = {
    login: { accountId: "sarah", acr: LEVEL || params.acr_values },
    consent: { grantId: grantId ?? (await grant.save()) },
  };
  return provider.interactionFinished(request, response, done, { mergeWithLastSubmission: true });
}

const answer = provider.callback();
createServer((request, response) => {
  if (!request.url.startsWith("/interaction/")) return answer(request, response);
  response.setHeader("Content-Type", "text/html; charset=utf-8");
  return interact(request, response).catch((error) => response.writeHead(500).end(String(error)));
}).listen(Number(PORT), "127.0.0.1", () => console.log(`listening on ${issuer}`));
