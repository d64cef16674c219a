// What a reload must not lose: the conversation with its token, the message under way with its key, the draft. It
// lives as long as the tab does. The bot knows no one, so whoever holds the token can read on; a browser that kept it
// for good (localStorage) would show one person's conversation to the next at a shared machine.

const KEY = "conversation " + location.pathname;
const kept = { conversation: null, pending: null, draft: "" };
try { Object.assign(kept, JSON.parse(sessionStorage.getItem(KEY))); } catch { /* storage is off, or not ours */ }

function keep(changes) {
  Object.assign(kept, changes);
  try { sessionStorage.setItem(KEY, JSON.stringify(kept)); } catch { /* storage is off: a reload begins anew */ }
}
