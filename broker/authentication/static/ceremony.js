// Asks the browser for a security key and sends its answer as an ordinary form.
// The question stands in data-options of the form (WebAuthn Level 3 §5.1.8, §5.1.9).

const form = document.querySelector("form[data-ceremony]");
const isCreation = form.dataset.ceremony === "create";
const options = JSON.parse(form.dataset.options);
const button = form.querySelector("button");
const AT_ONCE_MS = 1000;
let running = null;

function octets(text) {
  const base64 = text.replaceAll("-", "+").replaceAll("_", "/");
  return Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
}

function text(buffer) {
  const binary = String.fromCharCode(...new Uint8Array(buffer));
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

const decoded = (list) => list?.map((item) => ({ ...item, id: octets(item.id) }));

// For browsers that know WebAuthn but not its JSON forms.
function parsed() {
  const parse = isCreation ? "parseCreationOptionsFromJSON" : "parseRequestOptionsFromJSON";
  if (PublicKeyCredential[parse]) return PublicKeyCredential[parse](options);
  return {
    ...options,
    challenge: octets(options.challenge),
    ...(options.user && { user: { ...options.user, id: octets(options.user.id) } }),
    allowCredentials: decoded(options.allowCredentials),
    excludeCredentials: decoded(options.excludeCredentials),
  };
}

function toJson(credential) {
  if (credential.toJSON) return credential.toJSON();
  const said = credential.response;
  const response = {};
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature"]) {
    if (said[name]) response[name] = text(said[name]);
  }
  if (said.userHandle?.byteLength) response.userHandle = text(said.userHandle);
  if (said.getTransports) response.transports = said.getTransports();
  const { id, type } = credential;
  const results = credential.getClientExtensionResults();
  return { id, rawId: id, type, response, clientExtensionResults: results };
}

function show(trouble) {
  for (const part of document.querySelectorAll("[data-trouble]")) part.hidden = true;
  if (!trouble) return;
  const find = (name) => document.querySelector(`[data-trouble="${name}"]`);
  const part = find(trouble) ?? find("other");
  part.hidden = false;
  part.focus();
}

// What is saved in this very browser, offered at once (immediate mediation); undefined where there
// is nothing, which the browser says without showing anything. It takes no signal.
async function savedHere() {
  if (isCreation || options.allowCredentials?.length) return undefined;
  const able = await PublicKeyCredential.getClientCapabilities?.();
  if (!able?.immediateGet) return undefined;
  const asked = performance.now();
  try {
    return await navigator.credentials.get({ publicKey: parsed(), mediation: "immediate" });
  } catch (error) {
    // Whoever took longer to refuse was asked, and said no: they are not asked again.
    if (performance.now() - asked > AT_ONCE_MS) throw error;
    return undefined;
  }
}

// One ceremony at a time: the button takes over from the field that waits for a saved key.
async function run(mediation) {
  running?.abort();
  const mine = (running = new AbortController());
  const request = { publicKey: parsed(), signal: mine.signal, ...(mediation && { mediation }) };
  try {
    const saved = mediation ? undefined : await savedHere();
    const answer = saved ?? (await navigator.credentials[isCreation ? "create" : "get"](request));
    form.elements.credential.value = JSON.stringify(toJson(answer));
    button.disabled = true;
    form.submit();
  } catch (error) {
    if (mine.signal.aborted || mediation) return;
    show(error.name);
    wait();
  }
}

async function wait() {
  const field = form.querySelector("[data-conditional]");
  if (!field || !(await PublicKeyCredential.isConditionalMediationAvailable?.())) return;
  field.hidden = false;
  run("conditional");
}

if (form.dataset.unknown) {
  const gone = { rpId: options.rpId, credentialId: form.dataset.unknown };
  window.PublicKeyCredential?.signalUnknownCredential?.(gone).catch(() => {});
}

if (window.PublicKeyCredential) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    show(null);
    run();
  });
  // After a refusal the person decides: a device that answers by itself would go round in circles.
  if (!document.querySelector("#error-title")) wait();
} else {
  button.disabled = true;
  show("unsupported");
}

// A page brought back by the browser's history holds a question that is answered already.
window.addEventListener("pageshow", (event) => event.persisted && location.reload());
