// Tells the browser's store of keys which of them still open this account, so that a removed one
// is no longer offered, and what its owner calls it (WebAuthn Level 3 §5.1.10). Where the browser
// cannot listen, nothing happens.

const { name, ...accepted } = JSON.parse(
  document.querySelector("[data-accepted]").dataset.accepted,
);
const { rpId, userId } = accepted;
const known = window.PublicKeyCredential;
if (userId) {
  known?.signalAllAcceptedCredentials?.(accepted).catch(() => {});
  known?.signalCurrentUserDetails?.({ rpId, userId, name, displayName: name }).catch(() => {});
}
