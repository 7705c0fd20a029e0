// npm oidc-provider with its own development pages, for tests/blackbox to be pointed at.
import { Provider } from "oidc-provider";

const port = Number(process.env.PORT ?? 8300);
const issuer = `http://localhost:${port}`;
const client = (id, host) => ({
  client_id: id,
  client_secret: `secret of ${id}`,
  redirect_uris: [`https://${host}.test/callback`],
  post_logout_redirect_uris: [`https://${host}.test/bye`],
  grant_types: ["authorization_code", "refresh_token"],
});
const provider = new Provider(issuer, {
  clients: [client("one", "service"), client("two", "two")],
  enableHttpPostMethods: true,
  cookies: { keys: ["development"], long: { sameSite: "none" } },
  features: {
    devInteractions: { enabled: true },
    userinfo: { enabled: true },
    introspection: { enabled: true },
    revocation: { enabled: true },
    claimsParameter: { enabled: true },
  },
  scopes: ["openid", "offline_access", "profile"],
});
provider.listen(port, () => console.log(`listening on ${issuer}`));
