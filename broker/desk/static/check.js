// Recomputes, in the reader's own browser, what the page says of an entry's place in the record:
// the hash of its bytes, each step of the path (RFC 9162 §2.1.3.2), and the root that was signed.

const box = document.querySelector("[data-proof]");
const proof = JSON.parse(box.dataset.proof);
const bytes = (text) => Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
const text = (raw) => btoa(String.fromCharCode(...raw));

async function hash(...parts) {
  const whole = new Uint8Array(await new Blob(parts).arrayBuffer());
  return new Uint8Array(await crypto.subtle.digest("SHA-256", whole));
}

async function root() {
  let [place, last] = [proof.index, proof.size - 1];
  let found = await hash(Uint8Array.of(0), bytes(proof.leaf));
  for (const step of proof.path.map(bytes)) {
    if (last === 0) return "";
    if (place % 2 === 1 || place === last) {
      found = await hash(Uint8Array.of(1), step, found);
      while (place % 2 === 0 && place !== 0) [place, last] = [place / 2, Math.floor(last / 2)];
    } else {
      found = await hash(Uint8Array.of(1), found, step);
    }
    [place, last] = [Math.floor(place / 2), Math.floor(last / 2)];
  }
  return last === 0 ? text(found) : "";
}

async function signed() {
  const [said, signatures] = proof.checkpoint.split("\n\n");
  const lines = said.split("\n");
  const line = signatures.split("\n").find((each) => each.startsWith(`— ${lines[0]} `));
  const signature = bytes(line.split(" ")[2]).slice(4);
  const key = await crypto.subtle.importKey("raw", bytes(proof.key), "Ed25519", false, ["verify"]);
  const whole = new TextEncoder().encode(`${said}\n`);
  const holds = await crypto.subtle.verify("Ed25519", key, signature, whole);
  return holds && Number(lines[1]) === proof.size ? lines[2] : "";
}

async function check() {
  const found = await root();
  const expected = await signed();
  return found !== "" && found === expected;
}

function say(name) {
  box.querySelector(`[data-said="${name}"]`).hidden = false;
}

check().then((holds) => say(holds ? "holds" : "refused"), () => say("unable"));
