// Markdown within a line. Text only ever becomes text nodes, so nothing in an answer can run or load. Every pattern
// reads the text once: an answer may be hostile.

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
