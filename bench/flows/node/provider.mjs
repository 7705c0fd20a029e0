// npm oidc-provider for bench/flows: node provider.mjs map|sqlite|postgres [PLACE]; PORT says where.
import { generateKeyPairSync } from "node:crypto";
import { Provider } from "oidc-provider";
import * as adapters from "./adapters.mjs";

const [kind, place] = process.argv.slice(2);
const port = Number(process.env.PORT);
const issuer = `http://127.0.0.1:${port}`;
const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const key = { ...privateKey.export({ format: "jwk" }), alg: "ES256", use: "sig", kid: "bench" };
const hours = 3600;

const provider = new Provider(issuer, {
  adapter: await adapters[kind](place),
  jwks: { keys: [key] },
  cookies: { keys: ["a key of the bench"] },
  clients: [
    {
      client_id: "bench",
      client_secret: process.env.CLIENT_SECRET,
      redirect_uris: ["https://service.example/callback"],
      grant_types: ["authorization_code", "client_credentials"],
      id_token_signed_response_alg: "ES256",
    },
  ],
  enabledJWA: { idTokenSigningAlgValues: ["ES256"] },
  features: {
    devInteractions: { enabled: true }, // signs the few people in, before anything is measured
    clientCredentials: { enabled: true },
    introspection: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => undefined,
      getResourceServerInfo: () => ({
        scope: "api:read",
        accessTokenFormat: "jwt",
        accessTokenTTL: 600,
        jwt: { sign: { alg: "ES256" } },
      }),
    },
  },
  scopes: ["openid", "api:read"],
  ttl: {
    AccessToken: 600,
    AuthorizationCode: 60,
    ClientCredentials: 600,
    Grant: 12 * hours,
    IdToken: 600,
    Interaction: hours,
    Session: 12 * hours,
  },
});
provider.on("server_error", (_ctx, error) => console.error(error));
provider.listen(port, "127.0.0.1");
