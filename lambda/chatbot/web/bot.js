// What the bot can be asked over HTTP, and how asking fails.

// The page may have been opened without the slash at its end, where a relative address would lose the stage.
const CONVERSATIONS = location.pathname.replace(/\/?$/, "/") + "v1/conversations";
// API Gateway ends a request after 29 seconds.
const PATIENCE = 30_000;
// What may go well a moment later.
const PASSING = [0, 429, 502, 503, 504];

class Failure extends Error {
  // `status` is 0 where no answer came, and nobody knows whether the message was stored; `wait` is in seconds.
  constructor(message, { status = 0, code = "", wait = 0, passes = PASSING.includes(status) } = {}) {
    super(message);
    Object.assign(this, { status, code, wait, passes: passes || code === "conflict" });
  }
  // Whether the bot, or the gateway before it, read the request and would not have it.
  get isRefusal() { return this.status >= 400 && this.status < 500; }
}

// Returns the response and its text; raises Failure.
async function ask(path, { method = "GET", token, body, key } = {}) {
  const headers = { Accept: "application/json" };
  if (token) headers.Authorization = "Bearer " + token;
  if (key) headers["Idempotency-Key"] = key;
  if (body) headers["Content-Type"] = "application/json";
  let response, text;
  try {
    const signal = AbortSignal.timeout(PATIENCE);
    response = await fetch(CONVERSATIONS + path, { method, headers, signal, body: body && JSON.stringify(body) });
    text = await response.text();
  } catch (error) { throw unanswered(error); }
  if (!response.ok) throw refused(response, text);
  return { response, text };
}
async function askJson(path, options) {
  const { text } = await ask(path, options);
  try { return JSON.parse(text); } catch { throw new Failure("The answer could not be read."); }
}
function unanswered(error) {
  if (error.name === "TimeoutError") return new Failure("No answer came in time.", { passes: false });
  if (navigator.onLine) return new Failure("The bot cannot be reached.");
  return new Failure("You are offline. This goes on when you are back.", { passes: false });
}
// RFC 9457, from the bot and from the gateway before it.
function refused(response, text) {
  let problem = {};
  try { problem = JSON.parse(text) || {}; } catch { /* a proxy's own page */ }
  const errors = (problem.errors || []).map((error) => `The message ${error.detail}.`).join(" ");
  const message = errors || problem.detail || problem.title || `Something went wrong (${response.status}).`;
  const wait = secondsOf(response.headers.get("Retry-After"));
  return new Failure(message, { status: response.status, code: problem.code, wait });
}
// Seconds or a date: RFC 9110, 10.2.3.
function secondsOf(retryAfter) {
  const seconds = /^\d+$/.test(retryAfter) ? Number(retryAfter) : (Date.parse(retryAfter) - Date.now()) / 1000;
  return Math.max(0, Math.ceil(seconds)) || 0;
}

const bot = {
  start: () => askJson("", { method: "POST" }),
  say: ({ conversation_id, token }, { text, key }) =>
    askJson(`/${conversation_id}/messages`, { method: "POST", token, key, body: { text } }),
  rate: ({ conversation_id, token }, number, feedback) =>
    askJson(`/${conversation_id}/messages/${number}/feedback`, { method: "PUT", token, body: feedback }),
  remove: ({ conversation_id, token }) => ask(`/${conversation_id}`, { method: "DELETE", token }),

  async history({ conversation_id, token }) {
    const turns = [];
    let cursor = null;
    do {
      const page = new URLSearchParams(cursor ? { limit: 100, cursor } : { limit: 100 });
      const found = await askJson(`/${conversation_id}/messages?${page}`, { token });
      turns.push(...found.messages);
      cursor = found.next_cursor;
    } while (cursor);
    return turns;
  },
  // The texts of an export's pages.
  async export({ conversation_id, token }, format) {
    const texts = [];
    let cursor = null;
    do {
      const page = new URLSearchParams(cursor ? { format, cursor } : { format });
      const { response, text } = await ask(`/${conversation_id}/export?${page}`, { token });
      texts.push(text);
      const next = /<([^>]*)>\s*;\s*rel="?next"?/.exec(response.headers.get("Link"));
      cursor = next && new URL(next[1], response.url).searchParams.get("cursor");
    } while (cursor);
    return texts;
  },
};
