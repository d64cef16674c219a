// How a conversation goes on: what happens when a person does something, and when something fails.

const longest = Number(document.body.dataset.longest);
// For so many seconds the page waits by itself; whoever would have to wait longer is asked.
const SHORT_WAIT = 5, ATTEMPTS = 3;
const ANEW = "Start a new conversation";
let opened = false, opening = null, question = null;

// Goes on with the conversation of this tab, or begins one. Returns whether it could.
function resume() { return opening ??= resumed().finally(() => { opening = null; }); }
async function resumed() {
  opened = false;
  hideFailure();
  log.replaceChildren();
  setBusy(log);
  try {
    const turns = kept.conversation && await bot.history(kept.conversation).catch(noneWhenGone);
    if (!turns) await begin();
    setBusy(null);
    if (turns === GONE) showNote("Your earlier conversation has ended.");
    restore(turns || []);
    opened = true;
  } catch (failure) {
    setBusy(null);
    fail(failure, resume);
    return false;
  }
  if (!kept.pending) return true;
  // It may have been stored before the reload: its key tells, and it is not stored twice.
  question = showQuestion(kept.pending.text);
  return deliver();
}
const GONE = undefined;
function noneWhenGone(failure) {
  if (failure.code !== "conversation_not_found") throw failure;
  return GONE;
}
async function begin() {
  keep({ conversation: null });
  keep({ conversation: await bot.start() });
  shown.clear();
}
// Nobody wants to hear a whole conversation again after a reload.
function restore(turns) {
  log.setAttribute("aria-live", "off");
  showGreeting(kept.conversation);
  for (const turn of turns) showAnswer(showQuestion(turn.text), turn);
  if (turns.length) suggest(log.querySelector(".turn:last-child .bot"), turns.at(-1).suggestions);
  log.scrollTop = log.scrollHeight;
  setTimeout(() => log.setAttribute("aria-live", "polite"), 200);
}

// Says something. What is unsent goes first; should that fail again, the new text stays where it is.
async function say(said) {
  const text = said.trim(), excess = [...text].length - longest;
  input.focus();
  if (!text || busy && !opening) return;
  if (excess > 0) return showFailure(`The message is ${excess} characters too long.`, 0, []);
  if (!opened ? !await resume() : kept.pending && !await deliver()) return;
  if (busy) return;
  if (said === input.value) write("");
  keep({ pending: { key: crypto.randomUUID(), text } });
  question = showQuestion(text);
  suggest();
  await deliver();
}
// Sends what is pending, and returns whether it was answered.
async function deliver() {
  hideFailure();
  setBusy(question);
  try {
    const turn = await answered();
    keep({ pending: null });
    setBusy(null);
    if (shown.has(turn.number)) question.remove();
    else {
      showAnswer(question, turn);
      suggest(question.lastChild, turn.suggestions);
      reveal(question);
    }
    return true;
  } catch (failure) {
    setBusy(null);
    unsent(failure);
    return false;
  }
}
// Every attempt has the same key: however often the message arrives, the bot stores it once.
async function answered() {
  for (let attempt = 1; ; attempt++) {
    try {
      if (!kept.conversation) await begin();
      return await bot.say(kept.conversation, kept.pending);
    } catch (failure) {
      if (failure.code === "conversation_not_found" && attempt < ATTEMPTS) partWithTheOld();
      else if (failure.passes && failure.wait <= SHORT_WAIT && attempt < ATTEMPTS) await pause(failure);
      else throw failure;
    }
  }
}
function pause({ wait }) {
  if (wait) explainWait(`Busy. Trying again in ${wait} s.`);
  return new Promise((done) => { setTimeout(done, wait * 1000 || 250); });
}
function partWithTheOld() {
  keep({ conversation: null });
  log.querySelectorAll("[aria-pressed], .why").forEach((element) => element.remove());
  showNote("Your earlier conversation has ended. This is a new one.", question);
}

// What a person can do about a message that was not answered. Back it comes only if the bot certainly has not got it.
function unsent(failure) {
  const edit = () => {
    write([kept.pending.text, input.value].filter(Boolean).join("\n"));
    keep({ pending: null });
    question.remove();
  };
  const anew = () => { partWithTheOld(); deliver(); };
  if (failure.code === "conversation_full") fail(failure, anew, ANEW);
  else if (!failure.isRefusal) fail(failure, deliver);
  else if (failure.passes) fail(failure, deliver, "Try again", ["Edit the message", edit]);
  else { edit(); fail(failure); }
}
function fail(failure, retry, label = "Try again", ...others) {
  if (!(failure instanceof Failure)) throw failure;
  showFailure(failure.message, failure.wait, retry ? [[label, retry], ...others] : []);
}
// Does what is no message, and shows how it failed.
async function perform(work) {
  try { await work(); } catch (failure) {
    if (failure.code === "conversation_not_found") fail(failure, again, ANEW);
    else fail(failure, failure.passes || !failure.isRefusal ? () => perform(work) : null);
  }
}

function again() {
  if (busy) return;
  keep({ conversation: null, pending: null });
  resume();
  input.focus();
}
async function remove() {
  await bot.remove(kept.conversation).catch(noneWhenGone);
  again();
  tell("The conversation is deleted.");
}
async function save(format) {
  const texts = await bot.export(kept.conversation, format);
  const text = format === "markdown" ? texts.join("\n") : texts.length > 1 ? joined(texts.map(JSON.parse)) : texts[0];
  const link = make("a");
  link.href = URL.createObjectURL(new Blob([text]));
  link.download = `${botName} ${new Date().toISOString().slice(0, 10)}.${format === "markdown" ? "md" : "json"}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  tell("The conversation is saved.");
}
function joined(pages) {
  return JSON.stringify({ ...pages.at(-1), messages: pages.flatMap((page) => page.messages) }, null, 2);
}

function write(text) {
  input.value = text;
  typed();
}
function typed() {
  keep({ draft: input.value });
  const length = [...input.value.trim()].length, count = find("count");
  count.textContent = length > longest * .9 ? `${length.toLocaleString()} / ${longest.toLocaleString()}` : "";
  input.setAttribute("aria-invalid", length > longest);
  if (CSS.supports("field-sizing", "content")) return;
  input.style.height = "auto";
  input.style.height = input.scrollHeight + "px";
}

find("form").addEventListener("submit", (event) => { event.preventDefault(); say(input.value); });
input.addEventListener("input", typed);
input.addEventListener("keydown", (event) => {
  // 229: Safari ends an input method's composition before the key that ends it.
  if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
  event.preventDefault();
  say(input.value);
});
addEventListener("online", () => { if (!busy && (kept.pending || !opened)) opened ? deliver() : resume(); });

const menu = find("menu"), sure = find("sure");
menu.addEventListener("toggle", () => {
  const until = kept.conversation && new Date(kept.conversation.expires_at);
  find("until").textContent = until ? `Kept until ${until.toLocaleDateString([], { dateStyle: "long" })}.` : "";
  find("more").setAttribute("aria-expanded", menu.matches(":popover-open"));
});
menu.addEventListener("click", (event) => {
  const chosen = event.target.closest("button");
  if (!chosen) return;
  menu.hidePopover();
  if (chosen.id === "delete") sure.showModal();
  else perform(() => save(chosen.dataset.export));
});
sure.addEventListener("click", (event) => {
  if (event.target === sure || event.target.closest("button")) sure.close();
  if (event.target.closest("#remove")) perform(remove);
});
find("again").addEventListener("click", again);

write(kept.draft);
resume();
