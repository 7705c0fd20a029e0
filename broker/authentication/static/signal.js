// Tells the browser's store of keys which of them still open this account, so that a removed one
// is no longer offered (WebAuthn Level 3 §5.1.10). Where the browser cannot listen, nothing happens.

const accepted = JSON.parse(document.querySelector("[data-accepted]").dataset.accepted);
if (accepted.userId && window.PublicKeyCredential?.signalAllAcceptedCredentials) {
  PublicKeyCredential.signalAllAcceptedCredentials(accepted).catch(() => {});
}
