// Markdown, the part of it that answers use. Text only ever becomes text nodes, so nothing in an answer can run, load or
// look like the page's own controls. Every pattern reads a line once: an answer may be hostile.

const INLINE = new RegExp([
  /\\(?<escaped>[!-\/:-@[-`{-~])/,
  /(?<break>(?<! ) {2,}\n|\\\n)/,
  /`(?<code>[^`]+)`/,
  /\*\*(?=\S)(?<strong>(?:[^*]|\*(?!\*))+)\*\*/,
  /(?<!\w)__(?=\S)(?<strong2>[^_]+)__(?!\w)/,
  /\*(?<em>[^*\s](?:[^*]*[^*\s])?)\*/,
  /(?<!\w)_(?=\S)(?<em2>[^_]+)_(?!\w)/,
  /!?\[(?<label>[^[\]]+)\]\((?<href>[^\s()]+)\)/,
  /<?(?<url>https?:\/\/[^\s<>"`*]+)>?/,
].map((pattern) => pattern.source).join("|"), "g");

function inline(parent, text) {
  let from = 0;
  for (const found of text.matchAll(INLINE)) {
    parent.append(text.slice(from, found.index));
    from = found.index + found[0].length;
    const { escaped, code, strong, strong2, em, em2, label, href, url } = found.groups;
    if (escaped) parent.append(escaped);
    else if (found.groups.break) parent.append(make("br"));
    else if (code) parent.append(make("code", "", code));
    else if (strong || strong2) inline(parent.appendChild(make("strong")), strong || strong2);
    else if (em || em2) inline(parent.appendChild(make("em")), em || em2);
    else if (url) from -= link(parent, url, found[0]);
    else if (safe(href)) inline(parent.appendChild(anchor(href)), label);
    else inline(parent, label);
  }
  parent.append(text.slice(from));
}
function safe(href) {
  try { return /^https?:$/.test(new URL(href).protocol); } catch { return false; }
}
function anchor(href) {
  const element = make("a");
  Object.assign(element, { href, title: href, target: "_blank", rel: "noopener noreferrer" });
  return element;
}
// An address in a sentence: what ends the sentence is not part of it. Returns how much of the match it gives back.
function link(parent, url, matched) {
  const ending = matched.startsWith("<") ? "" : /[.,;:!?'")\]]*$/.exec(url.slice(-8))[0];
  const href = url.slice(0, url.length - ending.length);
  if (safe(href)) parent.appendChild(anchor(href)).append(href);
  else parent.append(href);
  return ending.length;
}

const FENCE = /^ {0,3}(```+|~~~+)/, HEADING = /^ {0,3}(#{1,6})\s+(.*)/, RULE = /^ {0,3}([-*_])(?: *\1){2,} *$/;
const QUOTE = /^ {0,3}> ?(.*)/, ITEM = /^( *)([-*+]|\d{1,9}[.)])( +|$)(.*)/, ROW = /^ *\|.*\| *$/, DELIMITER = /^[ |:-]*-[ |:-]*$/;
const DEEPEST = 6;

function markdown(parent, text) {
  const state = { last: 1, first: 0 };
  blocks(parent, text.replace(/\r\n?/g, "\n").replace(/\t/g, "    ").split("\n"), 0, state);
}
function blocks(parent, lines, depth, state) {
  for (let at = 0; at < lines.length;) at += Math.max(1, block(parent, lines, at, depth, state));
}
function starts(line) { return [FENCE, HEADING, RULE, QUOTE, ITEM].some((kind) => kind.test(line)); }
function run(lines, at, belongs) {
  let end = at;
  while (end < lines.length && belongs(lines[end], end)) end++;
  return lines.slice(at, end);
}

// Appends the block that begins at a line, and returns of how many lines it is made.
function block(parent, lines, at, depth, state) {
  const line = lines[at];
  let found;
  if (!line.trim()) return 1;
  if ((found = FENCE.exec(line))) return fence(parent, lines, at, found[1]);
  if ((found = HEADING.exec(line))) return heading(parent, found, state);
  if (RULE.test(line)) { parent.append(make("hr")); return 1; }
  if (depth < DEEPEST && QUOTE.test(line)) {
    const quoted = run(lines, at, (next) => QUOTE.test(next));
    blocks(parent.appendChild(make("blockquote")), quoted.map((next) => QUOTE.exec(next)[1]), depth + 1, state);
    return quoted.length;
  }
  if (depth < DEEPEST && ITEM.test(line)) return list(parent, lines, at, depth, state);
  if (ROW.test(line) && DELIMITER.test(lines[at + 1] || "")) return table(parent, lines, at);
  const text = [line, ...run(lines, at + 1, (next) => next.trim() && !starts(next))];
  inline(parent.appendChild(directed("p")), text.map((next) => next.trimStart()).join("\n").trimEnd());
  return text.length;
}
function fence(parent, lines, at, mark) {
  const code = run(lines, at + 1, (next) => !(next.trim().startsWith(mark) && !next.trim().replaceAll(mark[0], "")));
  const pre = parent.appendChild(make("pre"));
  pre.tabIndex = 0;
  pre.append(make("code", "", code.join("\n")));
  return code.length + 2;
}
// The page's own heading is the first level; an answer's begin below it and leave out none.
function heading(parent, [, marks, text], state) {
  state.first ||= marks.length;
  state.last = Math.min(6, state.last + 1, Math.max(2, 2 + marks.length - state.first));
  inline(parent.appendChild(directed("h" + state.last)), text);
  return 1;
}
function list(parent, lines, at, depth, state) {
  const [, indent, mark] = ITEM.exec(lines[at]);
  const ordered = /\d/.test(mark), first = parseInt(mark, 10), element = parent.appendChild(directed(ordered ? "ol" : "ul"));
  if (ordered && first !== 1) element.start = first;
  let end = at;
  while (end < lines.length) {
    const item = ITEM.exec(lines[end]);
    if (!item || item[1].length > indent.length + 1 || /\d/.test(item[2]) !== ordered || RULE.test(lines[end])) break;
    const inner = item[1].length + 2;
    const rest = run(lines, end + 1, (next, index) =>
      next.trim() ? /^ */.exec(next)[0].length >= inner || !(starts(next) || !lines[index - 1].trim())
        : index + 1 < lines.length && /^ */.exec(lines[index + 1])[0].length >= inner);
    const own = [item[4], ...rest.map((next) => next.replace(new RegExp(`^ {0,${item[1].length + item[2].length + 1}}`), ""))];
    blocks(element.appendChild(make("li")), own, depth + 1, state);
    end += 1 + rest.length;
    while (end < lines.length && !lines[end].trim() && ITEM.test(lines[end + 1] || "")) end++;
  }
  return end - at;
}
function table(parent, lines, at) {
  const rows = run(lines, at, (next) => ROW.test(next));
  const frame = parent.appendChild(make("div", "table")), element = frame.appendChild(make("table"));
  frame.tabIndex = 0;
  rows.forEach((row, number) => {
    if (number === 1) return;
    const line = element.appendChild(make("tr"));
    for (const cell of row.trim().slice(1, -1).split("|")) inline(line.appendChild(directed(number ? "td" : "th")), cell.trim());
  });
  return rows.length;
}
