// A second SAML identity provider (npm samlp) answers one request: JSON comes in, JSON goes out.
import { readFileSync } from "node:fs";
import samlp from "samlp";

const said = JSON.parse(readFileSync(0, "utf8"));
const request = { method: "POST", body: { SAMLRequest: said.request }, query: {} };
const options = { signingCert: said.ours, signatureAlgorithm: "rsa-sha256" };

samlp.parseRequest(request, options, (refused, asked) => {
  if (refused) throw refused;
  class Mapper {
    getClaims() { return said.attributes; }
    getNameIdentifier() { return { nameIdentifier: "s-1" }; }
  }
  samlp.getSamlResponse({
    issuer: said.issuer, cert: said.cert, key: said.key, audience: asked.issuer,
    recipient: said.acs, destination: said.acs, inResponseTo: asked.id,
    authnContextClassRef: asked.requestedAuthnContext.authnContextClassRef,
    signResponse: said.sign !== "assertion", signAssertion: said.sign !== "response",
    signatureAlgorithm: "rsa-sha256", digestAlgorithm: "sha256", includeAttributeNameFormat: true,
    profileMapper: () => new Mapper(),
  }, {}, (failed, response) => {
    if (failed) throw failed;
    console.log(JSON.stringify({ response: Buffer.from(response).toString("base64"), asked }));
  });
});
