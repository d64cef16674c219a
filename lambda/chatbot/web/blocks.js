// Markdown's blocks: paragraphs, headings, lists, code, quotes, rules and tables.

const FENCE = /^ {0,3}(```+|~~~+)/, HEADING = /^ {0,3}(#{1,6})\s+(.*)/, RULE = /^ {0,3}([-*_])(?: *\1){2,} *$/;
const QUOTE = /^ {0,3}> ?(.*)/, ITEM = /^( *)([-*+]|\d{1,9}[.)])( +|$)(.*)/;
const ROW = /^ *\|.*\| *$/, DELIMITER = /^[ |:-]*-[ |:-]*$/;
const DEEPEST = 6;

// Appends to an element what a text in Markdown means.
function markdown(parent, text) {
  const lines = text.replace(/\r\n?/g, "\n").replace(/\t/g, "    ").split("\n");
  blocks(parent, lines, 0, { first: 0, last: 1 });
}
function blocks(parent, lines, depth, levels) {
  for (let at = 0; at < lines.length;) at += block(parent, lines, at, depth, levels);
}
// Appends the block that begins at a line, and returns of how many lines it is made.
function block(parent, lines, at, depth, levels) {
  const line = lines[at];
  if (!line.trim()) return 1;
  if (FENCE.test(line)) return fence(parent, lines, at);
  if (HEADING.test(line)) return heading(parent, line, levels);
  if (RULE.test(line)) return rule(parent);
  if (QUOTE.test(line) && depth < DEEPEST) return quote(parent, lines, at, depth, levels);
  if (ITEM.test(line) && depth < DEEPEST) return list(parent, lines, at, depth, levels);
  if (ROW.test(line) && DELIMITER.test(lines[at + 1] || "")) return table(parent, lines, at);
  return paragraph(parent, lines, at);
}
function starts(line) { return [FENCE, HEADING, RULE, QUOTE, ITEM].some((kind) => kind.test(line)); }
function indentOf(line) { return /^ */.exec(line)[0].length; }
// The lines from one on that belong together.
function run(lines, from, belongs) {
  let end = from;
  while (end < lines.length && belongs(lines[end], end)) end++;
  return lines.slice(from, end);
}

function paragraph(parent, lines, at) {
  const text = [lines[at], ...run(lines, at + 1, (line) => line.trim() && !starts(line))];
  inline(parent.appendChild(directed("p")), text.map((line) => line.trimStart()).join("\n").trimEnd());
  return text.length;
}
function fence(parent, lines, at) {
  const mark = FENCE.exec(lines[at])[1];
  const ends = (line) => line.trim().startsWith(mark) && !line.trim().replaceAll(mark[0], "");
  const code = run(lines, at + 1, (line) => !ends(line)), pre = parent.appendChild(make("pre"));
  pre.tabIndex = 0;
  pre.append(make("code", "", code.join("\n")));
  return code.length + 2;
}
// The page's own heading is the first level; an answer's begin below it and leave out none.
function heading(parent, line, levels) {
  const [, { length: level }, text] = HEADING.exec(line);
  levels.first ||= level;
  levels.last = Math.min(6, levels.last + 1, Math.max(2, 2 + level - levels.first));
  inline(parent.appendChild(directed("h" + levels.last)), text);
  return 1;
}
function rule(parent) {
  parent.append(make("hr"));
  return 1;
}
function quote(parent, lines, at, depth, levels) {
  const quoted = run(lines, at, (line) => QUOTE.test(line));
  blocks(parent.appendChild(make("blockquote")), quoted.map((line) => QUOTE.exec(line)[1]), depth + 1, levels);
  return quoted.length;
}
function list(parent, lines, at, depth, levels) {
  const [, { length: indent }, mark] = ITEM.exec(lines[at]), first = parseInt(mark, 10), ordered = first >= 0;
  const element = parent.appendChild(directed(ordered ? "ol" : "ul"));
  if (ordered && first !== 1) element.start = first;
  let end = at;
  const goesOn = (line) => {
    const item = RULE.test(line) ? null : ITEM.exec(line);
    return item && item[1].length <= indent + 1 && parseInt(item[2], 10) >= 0 === ordered;
  };
  while (end < lines.length && goesOn(lines[end])) {
    const own = itemOf(lines, end);
    blocks(element.appendChild(make("li")), own, depth + 1, levels);
    end += own.length;
    while (end + 1 < lines.length && !lines[end].trim() && goesOn(lines[end + 1])) end++;
  }
  return end - at;
}
// An item is what follows its mark, the lines below that are indented, and those that go on with its last paragraph.
function itemOf(lines, at) {
  const [, { length: indent }, mark, , text] = ITEM.exec(lines[at]), inner = indent + 2;
  const rest = run(lines, at + 1, (line, index) => {
    if (!line.trim()) return indentOf(lines[index + 1] || "") >= inner;
    return indentOf(line) >= inner || lines[index - 1].trim() && !starts(line);
  });
  const margin = indent + mark.length + 1;
  return [text, ...rest.map((line) => line.slice(Math.min(indentOf(line), margin)))];
}
function table(parent, lines, at) {
  const rows = run(lines, at, (line) => ROW.test(line));
  const frame = parent.appendChild(make("div", "table")), element = frame.appendChild(make("table"));
  frame.tabIndex = 0;
  rows.forEach((row, number) => {
    if (number === 1) return;
    const line = element.appendChild(make("tr")), cells = row.trim().slice(1, -1).split("|");
    for (const cell of cells) inline(line.appendChild(directed(number ? "td" : "th")), cell.trim());
  });
  return rows.length;
}
