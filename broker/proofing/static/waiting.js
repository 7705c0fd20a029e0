// Asks this page's own address every three seconds; once it leads elsewhere, follows.

const SECONDS = 3;

async function ask() {
  if (!document.hidden) {
    try {
      const answer = await fetch(location.href, { redirect: "manual", cache: "no-store" });
      // A redirect: something has been read. An error: the address is over, which the page says.
      if (answer.type === "opaqueredirect" || answer.status >= 400) return location.reload();
    } catch {
      // No network just now: ask again.
    }
  }
  setTimeout(ask, SECONDS * 1000);
}

setTimeout(ask, SECONDS * 1000);
