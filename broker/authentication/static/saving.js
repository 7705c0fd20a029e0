// Lets the browser save a key of its own right after its person used another one: it asks nothing,
// and tells its person what it did (conditional creation, WebAuthn Level 3 §5.1.3).

const form = document.querySelector("form[data-saving]");

async function save() {
  const able = await window.PublicKeyCredential?.getClientCapabilities?.();
  if (!able?.conditionalCreate) return;
  const options = JSON.parse(form.dataset.options);
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options);
  const made = await navigator.credentials.create({ publicKey, mediation: "conditional" });
  form.elements.credential.value = JSON.stringify(made.toJSON());
  const body = new URLSearchParams(new FormData(form));
  const told = await fetch(form.action, { method: "POST", body });
  if (told.ok) location.reload();
}

// Nobody asked for it: where it is not to be, nobody is told.
save().catch(() => {});
