import assert from "node:assert/strict";
import { test } from "node:test";
import { inline, parse, safeAddress } from "../../src/manage/page/markdown.js";

test("each kind of block is told apart", () => {
  const text = "# Title\n\nOne\ntwo\n\n- a\n- b\n\n1. x\n2. y\n\n> said\n\n---\n\n```js\nlet a = 1;\n```";
  assert.deepEqual(parse(text).map((block) => block.type), ["heading", "paragraph", "list", "list", "quote", "rule", "code"]);
});

test("a fence that is still open holds what has come", () => {
  assert.deepEqual(parse("```py\nprint(1)\n# no heading"), [{ type: "code", language: "py", text: "print(1)\n# no heading" }]);
});

test("lists nest, and an item may have a code block", () => {
  const [list] = parse("- a\n  - b\n- c\n\n  ```\n  code\n  ```");
  assert.equal(list.items.length, 2);
  assert.deepEqual(list.items[0].map((block) => block.type), ["paragraph", "list"]);
  assert.deepEqual(list.items[1].map((block) => block.type), ["paragraph", "code"]);
});

const INLINE = [
  ["a **b** c", ["a ", { type: "strong", children: ["b"] }, " c"]],
  ["*a*", [{ type: "emphasis", children: ["a"] }]],
  ["snake_case_name and 2 * 3 * 4", ["snake_case_name and 2 * 3 * 4"]],
  ["`a < *b*`", [{ type: "code", text: "a < *b*" }]],
  ["**open", ["**open"]],
  ["\\*no\\*", ["*no*"]],
  ["**a *b* c**", [{ type: "strong", children: ["a ", { type: "emphasis", children: ["b"] }, " c"] }]],
  ["see https://a.example/x.", ["see ", { type: "link", address: "https://a.example/x", children: ["https://a.example/x"] }, "."]],
  ["[w](https://en.example/A_(b))", [{ type: "link", address: "https://en.example/A_(b)", children: ["w"] }]],
  ["<b>x</b>", ["<b>x</b>"]],
];

test("inline marks", () => {
  for (const [text, expected] of INLINE) assert.deepEqual(inline(text), expected, text);
});

test("a link leads to http, https and mailto only, and an image is its description", () => {
  for (const address of ["javascript:alert(1)", "JaVaScRiPt:alert(1)", "data:text/html,x", "//evil.example", "/assistants", "vbscript:x", "file:///etc/passwd"]) {
    assert.equal(safeAddress(address), null, address);
    assert.equal(inline(`[a](${address})`).some((node) => node.type === "link"), false, address);
  }
  assert.equal(safeAddress("mailto:a@b.example"), "mailto:a@b.example");
  assert.deepEqual(inline("![a map](https://tracker.example/x.png)"), ["a map"]);
});

test("no text takes the stack or much time", () => {
  for (const text of ["*".repeat(20_000), "[".repeat(20_000), "> ".repeat(5_000), "`".repeat(20_001), "- ".repeat(5_000), "**a ".repeat(5_000), "_a".repeat(10_000), "![".repeat(10_000)]) {
    assert.ok(Array.isArray(parse(text)), text.slice(0, 4));
  }
});

/** Each was quadratic or worse once. Twice the text may take twice the time: at this length anything more does not end. */
const HOSTILE = ["# a" + " ".repeat(100_000) + "b", "*a ".repeat(60_000), "_a ".repeat(60_000), "**a ".repeat(40_000), "`a ``b ".repeat(20_000),
  "```" + " ".repeat(100_000) + "`", "- " + " ".repeat(100_000) + "\u2028", "-" + " ".repeat(100_000) + "x", "a" + " ".repeat(100_000) + "b", "[a](".repeat(40_000),
  "[a](x" + " ".repeat(100_000), "> ".repeat(60_000), "h".repeat(100_000), "https://a.".repeat(20_000), "*".repeat(100_000), "\n".repeat(100_000), "- a\n".repeat(40_000)];

test("no text takes more than linear time", { timeout: 30_000 }, () => {
  for (const text of HOSTILE) assert.ok(Array.isArray(parse(text)));
});

test("headings, rules and items with odd blanks", () => {
  assert.deepEqual(parse("#   a  ##  "), [{ type: "heading", level: 1, children: ["a"] }]);
  assert.deepEqual(parse("- - -\n***\n__ _").map((block) => block.type), ["rule", "rule", "rule"]);
  assert.deepEqual(parse("-   a")[0].items, [[{ type: "paragraph", children: ["a"] }]]);
  assert.equal(parse("``` a`b")[0].type, "paragraph");
});
