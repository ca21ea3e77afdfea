/**
 * Markdown as models write it, safely: the text becomes a tree of known nodes, and the tree becomes DOM nodes. Nothing is parsed
 * as HTML, images are not loaded, and links lead to http, https and mailto only.
 */
import { copyButton, element } from "./dom.js";

/**
 * Each pattern reads a line's beginning alone, without two repetitions that could share characters: a model's text must not
 * make the page slow. What follows is read by hand.
 */
const FENCE = /^ {0,3}(`{3,}|~{3,})/;
const HEADING = /^ {0,3}(#{1,6})\s/;
const ITEM = /^( *)([-*+]|\d{1,9}[.)])\s(.*)$/s;
/** Longer texts are shown as they are, in characters. */
const MAX_TEXT = 200_000;
/** Deeper nesting is shown as text: a model that repeats itself must not use up the stack. */
const MAX_DEPTH = 8;

/** The blocks of a text: `{type, …}` with `children` as inline nodes or as blocks. */
export function parse(text, depth = 0) {
  const lines = text.replaceAll("\r\n", "\n").split("\n");
  const blocks = [];
  let at = 0;
  while (at < lines.length) {
    const line = lines[at];
    const reader = line.trim() === "" ? skip : isFence(line) ? fence : HEADING.test(line) ? heading : isRule(line) ? rule
      : depth < MAX_DEPTH && /^ {0,3}>/.test(line) ? quote : depth < MAX_DEPTH && ITEM.test(line) ? list : paragraph;
    const { block, next } = reader(lines, at, depth);
    if (block) blocks.push(block);
    at = next;
  }
  return blocks;
}

const isFence = (line) => FENCE.test(line) && !line.slice(FENCE.exec(line)[0].length).includes("`");

function isRule(line) {
  const marks = line.replace(/\s/g, "");
  return marks.length >= 3 && "-*_".includes(marks[0]) && marks === marks[0].repeat(marks.length) && /^ {0,3}\S/.test(line);
}

const skip = (lines, at) => ({ next: at + 1 });
const rule = (lines, at) => ({ block: { type: "rule" }, next: at + 1 });

function heading(lines, at) {
  const [start, marks] = HEADING.exec(lines[at]);
  let text = lines[at].slice(start.length).trim();
  let end = text.length;
  while (text[end - 1] === "#") end -= 1;
  text = text.slice(0, end).trimEnd();
  return { block: { type: "heading", level: marks.length, children: inline(text) }, next: at + 1 };
}

/** A fence that is not closed yet holds all that follows: the answer may still be streaming. */
function fence(lines, at) {
  const [start, mark] = FENCE.exec(lines[at]);
  const language = lines[at].slice(start.length).trim().split(/\s/, 1)[0];
  const closes = (line) => line.trim().startsWith(mark) && line.trim().replaceAll(mark[0], "") === "";
  let end = at + 1;
  while (end < lines.length && !closes(lines[end])) end += 1;
  return { block: { type: "code", language, text: lines.slice(at + 1, end).join("\n") }, next: end + 1 };
}

function quote(lines, at, depth) {
  let end = at;
  while (end < lines.length && /^ {0,3}>/.test(lines[end])) end += 1;
  const inner = lines.slice(at, end).map((line) => line.replace(/^ {0,3}> ?/, ""));
  return { block: { type: "quote", children: parse(inner.join("\n"), depth + 1) }, next: end };
}

function list(lines, at, depth) {
  const [, indent, mark] = ITEM.exec(lines[at]);
  const ordered = /\d/.test(mark);
  const items = [];
  let end = at;
  while (end < lines.length) {
    const found = ITEM.exec(lines[end]);
    const isItem = found && found[1].length <= indent.length + 1 && /\d/.test(found[2]) === ordered && !isRule(lines[end]);
    if (isItem) items.push([found[3].trimStart()]);
    else if (lines[end].trim() === "" ? !continues(lines[end + 1], indent) : !belongs(lines[end], lines[end - 1], indent)) break;
    else items.at(-1).push(lines[end].replace(new RegExp(`^ {0,${indent.length + (ordered ? 3 : 2)}}`), ""));
    end += 1;
  }
  const start = ordered ? Number.parseInt(mark, 10) : undefined;
  return { block: { type: "list", ordered, start, items: items.map((item) => parse(item.join("\n"), depth + 1)) }, next: end };
}

/** Whether a list goes on after a blank line. */
const continues = (line, indent) => line !== undefined && (ITEM.test(line) || (line.trim() !== "" && line.startsWith(`${indent}  `)));
/** Whether a line without a mark is a part of the item before: it is indented, or goes on with its sentence. */
const belongs = (line, before, indent) => line.startsWith(`${indent}  `) || (before.trim() !== "" && !startsBlock(line));
const startsBlock = (line) => isFence(line) || HEADING.test(line) || isRule(line) || /^ {0,3}>/.test(line) || ITEM.test(line);

function paragraph(lines, at) {
  let end = at + 1;
  while (end < lines.length && lines[end].trim() !== "" && !startsBlock(lines[end])) end += 1;
  return { block: { type: "paragraph", children: inline(lines.slice(at, end).join("\n").trim()) }, next: end };
}

const LINK = /^\[([^\][]{1,500})\]\(\s*<?([^\s<>()]*(?:\([^\s<>()]*\)[^\s<>()]*)*)>?(?:\s+"[^"]*")?\s*\)/;
const BARE = /^https?:\/\/[^\s<>"'`]+[^\s<>"'`.,;:!?)\]}*_]/;

/** The inline nodes of a text: strings, and `{type, …}`. */
export function inline(text, depth = 0) {
  const nodes = [];
  // Marks that nothing closes from here on: whether one closes does not depend on where it was opened.
  const open = new Set();
  let plain = "";
  let at = 0;
  const push = (node) => {
    if (plain) nodes.push(plain);
    plain = "";
    nodes.push(node);
  };
  while (at < text.length) {
    const found = depth < MAX_DEPTH ? special(text, at, depth, open) : null;
    if (found?.node) push(found.node);
    else plain += found?.text ?? text[at];
    at += found?.length ?? 1;
  }
  if (plain) nodes.push(plain);
  return nodes;
}

function special(text, at, depth, open) {
  const letter = text[at];
  if (letter === "\\" && /[\\`*_{}[\]()#+\-.!>~|]/.test(text[at + 1] ?? "")) return { text: text[at + 1], length: 2 };
  if (letter === "`") return codeSpan(text, at, open);
  if (letter === "*" || letter === "_") return emphasis(text, at, depth, open);
  if (letter === "[") return link(text, at, depth);
  // An image is its description: a picture's address would tell a stranger who is reading.
  if (letter === "!" && text[at + 1] === "[") return link(text, at + 1, depth, 1);
  if (letter === "h" && !/\w/.test(text[at - 1] ?? "")) return bareLink(text, at);
  return null;
}

function codeSpan(text, at, open) {
  const marks = /^`+/.exec(text.slice(at, at + 20))[0];
  const end = open.has(marks) ? -1 : text.indexOf(marks, at + marks.length);
  if (end < 0) {
    open.add(marks);
    return { text: marks, length: marks.length };
  }
  const inner = text.slice(at + marks.length, end).replaceAll("\n", " ");
  return { node: { type: "code", text: inner.trim() === "" ? inner : inner.replace(/^ (.*) $/, "$1") }, length: end - at + marks.length };
}

function emphasis(text, at, depth, open) {
  const letter = text[at];
  const isWord = (index) => /[\p{L}\p{N}]/u.test(text[index] ?? "");
  for (const mark of [letter.repeat(2), letter]) {
    if (!text.startsWith(mark, at) || /\s/.test(text[at + mark.length] ?? " ")) continue;
    if ((letter === "_" && isWord(at - 1)) || open.has(mark)) continue;
    let end = text.indexOf(mark, at + mark.length + 1);
    // The closing mark follows a letter; a lone one is not half of a pair.
    while (end > 0 && (/\s/.test(text[end - 1]) || (mark.length === 1 && text[end + 1] === letter) || (letter === "_" && isWord(end + mark.length)))) {
      end = text.indexOf(mark, end + (text[end + 1] === letter ? 2 : 1));
    }
    if (end < 0) {
      open.add(mark);
      continue;
    }
    const type = mark.length === 2 ? "strong" : "emphasis";
    return { node: { type, children: inline(text.slice(at + mark.length, end), depth + 1) }, length: end - at + mark.length };
  }
  const run = /^[*_]+/.exec(text.slice(at, at + 100))[0];
  return { text: run, length: run.length };
}

/** An address that a link may have, else null. */
export function safeAddress(address) {
  try {
    const url = new URL(address);
    return ["http:", "https:", "mailto:"].includes(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

function link(text, at, depth, before = 0) {
  const match = LINK.exec(text.slice(at, at + 3000));
  if (!match) return before ? null : { text: "[", length: 1 };
  const address = safeAddress(match[2]);
  const length = match[0].length + before;
  if (before || address === null) return { text: match[1], length };
  return { node: { type: "link", address, children: inline(match[1], depth + 1) }, length };
}

function bareLink(text, at) {
  const match = BARE.exec(text.slice(at, at + 2000));
  const address = match && safeAddress(match[0]);
  return address ? { node: { type: "link", address, children: [match[0]] }, length: match[0].length } : null;
}

function inlineNode(node) {
  if (typeof node === "string") return node.split("\n").flatMap((part, index, all) => [...(index ? [element("br")] : []), index < all.length - 1 ? part.trimEnd() : part]);
  const children = () => node.children.map(inlineNode);
  if (node.type === "code") return element("code", {}, node.text);
  if (node.type === "link") return element("a", { href: node.address, target: "_blank", rel: "noopener noreferrer" }, children());
  return element(node.type === "strong" ? "strong" : "em", {}, children());
}

function blockNode(block) {
  const inlines = () => block.children.map(inlineNode);
  switch (block.type) {
    case "heading":
      return element(`h${block.shown ?? 6}`, {}, inlines());
    case "code":
      return element("div", { class: "codeblock" }, element("div", { class: "codehead" }, element("span", {}, block.language || "text"), copyButton(block.text, "Copy", "Code")),
        element("pre", { tabindex: "0" }, element("code", {}, block.text)));
    case "list":
      return element(block.ordered ? "ol" : "ul", { start: block.ordered && block.start !== 1 ? block.start : null }, block.items.map((item) => element("li", {}, itemNodes(item))));
    case "quote":
      return element("blockquote", {}, block.children.map(blockNode));
    case "rule":
      return element("hr");
    default:
      return element("p", {}, inlines());
  }
}

/** An item of one paragraph is its text, without a paragraph's margins. */
function itemNodes(blocks) {
  return blocks.map((block, index) => (index === 0 && block.type === "paragraph" ? block.children.map(inlineNode) : blockNode(block)));
}

/** Below the page's own headings, without a level left out: models begin with any. */
function levelHeadings(blocks) {
  const headings = blocks.filter((block) => block.type === "heading");
  const highest = Math.min(...headings.map((block) => block.level));
  let before = 2;
  for (const block of headings) {
    block.shown = Math.min(block.level - highest + 3, before + 1, 6);
    before = block.shown;
  }
  return blocks;
}

/** The DOM nodes of a text. */
export function render(text) {
  if (text.length > MAX_TEXT) return [element("p", { class: "raw" }, text)];
  return levelHeadings(parse(text)).map(blockNode);
}
