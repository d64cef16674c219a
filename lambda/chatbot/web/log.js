// What stands in the conversation.

const find = (id) => document.getElementById(id);
const log = find("log"), input = find("text"), failureBar = find("failure");
const botName = document.title;
const shown = new Set();

function make(tag, className = "", text = "") {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text) element.textContent = text;
  return element;
}
// An element whose text finds its own direction.
function directed(...parts) {
  const element = make(...parts);
  element.dir = "auto";
  return element;
}
function icon(name, className = "") {
  const [svg, use] = ["svg", "use"].map((tag) => document.createElementNS("http://www.w3.org/2000/svg", tag));
  use.setAttribute("href", "#i-" + name);
  svg.setAttribute("aria-hidden", "true");
  if (className) svg.setAttribute("class", className);
  svg.append(use);
  return svg;
}
function button(className, label, act) {
  const element = directed("button", className, label);
  element.type = "button";
  element.addEventListener("click", act);
  return element;
}
function act(name, label, work) {
  const element = button("act", "", work);
  element.setAttribute("aria-label", label);
  element.title = label;
  element.append(icon(name));
  return element;
}
function speaker(name) { return make("span", "hidden", name + ": "); }

// Shows the newest, but never so much of it that the question is out of sight.
function reveal(turn) {
  const top = turn.getBoundingClientRect().top - log.getBoundingClientRect().top + log.scrollTop - 20;
  log.scrollTop = Math.min(top, log.scrollHeight);
}
function showGreeting({ greeting, suggestions }) {
  const hello = make("div", "hello");
  hello.append(icon("mark", "mark"), directed("p", "", greeting));
  suggest(hello, suggestions);
  log.append(hello);
}
function showNote(text, before = null) { log.insertBefore(make("p", "note", text), before); }
function showQuestion(text) {
  const turn = make("div", "turn"), mine = directed("div", "mine");
  mine.append(text);
  turn.append(speaker("You"), mine);
  log.append(turn);
  return turn;
}
function showAnswer(question, turn) {
  const box = make("div", "bot"), answer = make("div", "answer");
  markdown(answer, turn.reply);
  box.append(speaker(botName), icon("mark", "mark"), answer, below(turn));
  question.append(box);
  shown.add(turn.number);
}
function below(turn) {
  const line = make("div", "below"), acts = make("div", "acts");
  const model = turn.responder === "bedrock" ? "Written by a language model. " : "";
  const by = turn.fallback ? "Without the language model. " : model;
  if (turn.source || by) {
    const source = make("p", "source"), text = make("span", "", by);
    if (turn.source) text.append("Source: ", make("bdi", "", turn.source.title));
    source.append(icon("source"), text);
    line.append(source);
  }
  acts.append(copier(turn.reply), ...thumbs(turn));
  line.append(acts);
  return line;
}
// What could be asked next stands at one place only.
function suggest(parent, suggestions) {
  log.querySelector(".asks")?.remove();
  if (!suggestions?.length) return;
  const asks = make("div", "asks");
  asks.setAttribute("role", "group");
  asks.setAttribute("aria-label", "Suggestions");
  for (const text of suggestions) asks.append(button("plain", text, () => say(text)));
  parent.append(asks);
}

function copier(text) {
  const copy = act("copy", "Copy the answer", async () => {
    try { await navigator.clipboard.writeText(text); } catch { return tell("The browser did not allow copying."); }
    copy.replaceChildren(icon("done"));
    tell("Copied.");
    setTimeout(() => copy.replaceChildren(icon("copy")), 2000);
  });
  return copy;
}
function thumbs(turn) {
  const { conversation } = kept;
  let feedback = turn.feedback || {};
  const up = act("up", "Good answer", () => rate({ rating: "up" }));
  const down = act("down", "Bad answer", () => rate({ rating: "down" }));
  const press = () => {
    up.setAttribute("aria-pressed", feedback.rating === "up");
    down.setAttribute("aria-pressed", feedback.rating === "down");
  };
  const reason = (comment) => rate({ rating: "down", comment });
  const explain = () => down.closest(".below").after(why(feedback.comment, down, reason));
  const rate = (wanted) => perform(async () => {
    const before = feedback, form = down.closest(".bot").querySelector(".why");
    // Pressed once more, a thumb changes nothing; the reason for it may be changed.
    if (wanted.rating === before.rating && !("comment" in wanted)) return wanted.rating === "down" && !form && explain();
    feedback = wanted;
    press();
    try { await bot.rate(conversation, turn.number, wanted.comment ? wanted : { rating: wanted.rating }); }
    catch (failure) { feedback = before; press(); throw failure; }
    form?.remove();
    tell("Thank you.");
    if (wanted.rating === "down" && !("comment" in wanted)) explain();
  });
  press();
  return [up, down];
}
function why(comment, origin, send) {
  const form = make("form", "why"), text = directed("textarea");
  const label = make("label", "", "What was wrong with it? (optional)");
  const close = () => { form.remove(); origin.focus(); };
  Object.assign(text, { rows: 2, maxLength: 1000, value: comment || "" });
  label.append(text);
  form.append(label, button("plain", "Close", close), make("button", "plain", "Send"));
  form.addEventListener("submit", (event) => { event.preventDefault(); send(text.value.trim()); origin.focus(); });
  form.addEventListener("keydown", (event) => { if (event.key === "Escape") close(); });
  return form;
}

let busy = false, waiting = null, telling = 0;
// Shows at the end of an element that something is awaited, or, without one, that nothing is any more.
function setBusy(parent) {
  busy = Boolean(parent);
  log.setAttribute("aria-busy", busy);
  find("send").setAttribute("aria-disabled", busy);
  find("again").disabled = find("delete").disabled = busy;
  clearTimeout(telling);
  waiting?.remove();
  waiting = null;
  if (!busy) return;
  telling = setTimeout(tell, 1500, `${botName} is answering.`);
  waiting = make("div", "bot");
  waiting.setAttribute("aria-hidden", "true");
  waiting.append(icon("mark", "mark"), make("div", "typing"));
  waiting.lastChild.append(make("i"), make("i"), make("i"));
  parent.append(waiting);
  log.scrollTop = log.scrollHeight;
}
function explainWait(text) {
  waiting?.querySelector("span")?.remove();
  waiting?.lastChild.append(make("span", "", text));
  tell(text);
}
// For those who listen rather than look.
function tell(text) {
  find("status").textContent = "";
  setTimeout(() => { find("status").textContent = text; }, 50);
}

let counting = null;
// Says what failed, as an alert, with what a person can do about it; the first can only be done when the wait is over.
function showFailure(message, wait, choices) {
  hideFailure();
  const said = directed("p", "", message);
  const buttons = choices.map(([label, choice]) => button("plain", label, () => {
    hideFailure();
    choice();
    input.focus();
  }));
  said.setAttribute("role", "alert");
  failureBar.hidden = false;
  failureBar.replaceChildren(said, ...buttons);
  if (wait && buttons.length) countDown(buttons[0], Date.now() + wait * 1000);
}
function countDown(element, until) {
  const label = element.textContent;
  const tick = () => {
    const left = Math.ceil((until - Date.now()) / 1000);
    element.disabled = left > 0;
    const when = left < 100 ? `in ${left} s` : "at " + new Date(until).toLocaleTimeString([], { timeStyle: "short" });
    element.textContent = left > 0 ? `${label} ${when}` : label;
    if (left <= 0) clearInterval(counting);
  };
  counting = setInterval(tick, 500);
  tick();
}
function hideFailure() {
  clearInterval(counting);
  failureBar.hidden = true;
  failureBar.replaceChildren();
}
