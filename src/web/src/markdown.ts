// SPDX-License-Identifier: GPL-3.0-or-later
// Markdown of models, as blocks of HTML that is safe to show. markdown-it lets no HTML of theirs
// through and knows which addresses are harmless, DOMPurify sees to it once more, and the policy of
// the page would forbid what is left.
import DOMPurify from "dompurify";
import MarkdownIt from "markdown-it";
import type { Token } from "markdown-it/index.js";

import { colours, highlight } from "./highlight";
import { _ } from "./i18n";

export interface Block {
  /** Where it begins in the text: its name among the blocks of a message. */
  start: number;
  source: string;
  /** Code that stands alone, fenced. */
  code: { language: string; text: string; isClosed: boolean } | null;
  /** It may yet become another. */
  isGrowing?: boolean;
}

const markdown = new MarkdownIt({ html: false, linkify: true, breaks: false });

/* Pictures of elsewhere would tell others what is read here; the policy forbids them. */
markdown.disable("image");

markdown.renderer.rules.link_open = (tokens, index, options, _env, self) => {
  tokens[index]!.attrSet("target", "_blank");
  tokens[index]!.attrSet("rel", "noopener noreferrer nofollow");
  return self.renderToken(tokens, index, options);
};

/* Wide ones scroll by themselves, and with the keyboard. */
markdown.renderer.rules.table_open = () =>
  `<div class="table" tabindex="0" role="region" aria-label="${escapeHtml(_("Table"))}"><table>`;
markdown.renderer.rules.table_close = () => "</table></div>";

markdown.renderer.rules.fence = (tokens, index) => {
  const token = tokens[index]!;
  return codeHtml(languageOf(token.info), token.content);
};
markdown.renderer.rules.code_block = (tokens, index) => codeHtml("", tokens[index]!.content);

/**
 * What was worked out once for texts that stand, so that scrolling back to them, and the end of an
 * answer that was shown as it grew, cost little. The oldest go first.
 */
class Remembered {
  private readonly known = new Map<string, string>();
  private size = 0;

  get(key: string, make: () => string): string {
    const old = this.known.get(key);
    if (old !== undefined)
      return old;
    const made = make();
    this.known.set(key, made);
    this.size += key.length + made.length;
    for (const [oldest, html] of this.known) {
      if (this.size <= REMEMBERED_CHARS)
        break;
      this.known.delete(oldest);
      this.size -= oldest.length + html.length;
    }
    return made;
  }

  clear() {
    this.known.clear();
    this.size = 0;
  }
}

const REMEMBERED_CHARS = 4e6;
const rendered = new Remembered();
const coloured = new Remembered();

/* what was shown before the colours came is shown anew with them */
colours.subscribe(() => {
  rendered.clear();
  coloured.clear();
});

function escapeHtml(text: string): string {
  return markdown.utils.escapeHtml(text);
}

function languageOf(info: string): string {
  return info.trim().split(/\s+/)[0] ?? "";
}

/** The inside of a code block in HTML. */
export function codeInnerHtml(language: string, text: string): string {
  return coloured.get(`${language}\n${text}`, () => highlight(language, text) ?? escapeHtml(text));
}

function codeHtml(language: string, text: string): string {
  const label = escapeHtml(language || _("Code"));
  return (
    `<div class="code"><div class="code-bar"><span>${label}</span>` +
    `<button type="button" class="flat" data-copy-code>${escapeHtml(_("Copy code"))}</button>` +
    `</div><pre tabindex="0" aria-label="${label}"><code>${codeInnerHtml(language, text)}` +
    `</code></pre></div>`
  );
}

export function toSafeHtml(source: string, isGrowing = false): string {
  return isGrowing ? render(source) : rendered.get(source, () => render(source));
}

function render(source: string): string {
  return DOMPurify.sanitize(markdown.render(source), {
    USE_PROFILES: { html: true },
    ADD_ATTR: ["target"],
    FORBID_TAGS: ["img", "style", "form", "input", "textarea", "iframe", "object", "embed"],
    FORBID_ATTR: ["style", "srcset"],
  });
}

function fenceOf(token: Token, source: string): Block["code"] {
  if (token.type !== "fence")
    return null;
  const last = source.trimEnd().split("\n").at(-1)!.trim();
  const isClosed = source.trimEnd().includes("\n") && last.startsWith(token.markup)
    && /^[`~]+$/.test(last);
  return { language: languageOf(token.info), text: token.content, isClosed };
}

/** The top-level blocks of a text that begins at `offset` of a message. */
export function splitBlocks(text: string, offset = 0): Block[] {
  const tokens = markdown.parse(text, {}).filter(({ level, nesting, map }) =>
    level === 0 && nesting >= 0 && map);
  if (tokens.length === 0)
    return [];

  const lineStarts = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1))
    lineStarts.push(at + 1);
  return tokens.map((token, i) => {
    const start = lineStarts[token.map![0]] ?? text.length;
    const next = tokens[i + 1];
    const end = next ? lineStarts[next.map![0]]! : text.length;
    const source = text.slice(start, end);
    return { start: offset + start, source, code: fenceOf(token, source) };
  });
}

/**
 * The blocks of a text that grows. What can no longer change is parsed once, so that the next piece
 * costs what its own block costs, and not what the answer has become.
 */
export class GrowingBlocks {
  private text = "";
  private done: Block[] = [];
  private doneEnd = 0;

  update(text: string): Block[] {
    if (!text.startsWith(this.text)) {
      this.done = [];
      this.doneEnd = 0;
    }
    this.text = text;
    const open = splitBlocks(text.slice(this.doneEnd), this.doneEnd);
    /* the last may go on, and may yet turn the one before into a heading or a table */
    if (open.length > 2) {
      const settled = open.splice(0, open.length - 2);
      this.done = [...this.done, ...settled];
      this.doneEnd = open[0]!.start;
    }
    return [...this.done, ...open.map((block) => ({ ...block, isGrowing: true }))];
  }
}
