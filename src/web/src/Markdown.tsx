// SPDX-License-Identifier: GPL-3.0-or-later
import { memo, useMemo, useRef, useSyncExternalStore } from "react";

import { colours } from "./highlight";
import { _ } from "./i18n";
import { codeInnerHtml, GrowingBlocks, splitBlocks, toSafeHtml, type Block } from "./markdown";

/* Code that grows is shown in pieces of so many lines, of which only the last is touched. */
const LINES_PER_PIECE = 40;

const PlainPiece = memo(function PlainPiece({ text }: { text: string }) {
  return <span>{text}</span>;
});

function GrowingCode({ text }: { text: string }) {
  const lines = text.split("\n");
  const pieces = [];
  for (let i = 0; i < lines.length; i += LINES_PER_PIECE) {
    const end = i + LINES_PER_PIECE < lines.length ? "\n" : "";
    pieces.push(
      <PlainPiece key={i} text={lines.slice(i, i + LINES_PER_PIECE).join("\n") + end} />,
    );
  }
  return <code>{pieces}</code>;
}

function CodeBlock({ code }: { code: NonNullable<Block["code"]> }) {
  const label = code.language || _("Code");
  const areLoaded = useSyncExternalStore(colours.subscribe, colours.areLoaded);
  const html = useMemo(
    () => (code.isClosed ? codeInnerHtml(code.language, code.text) : ""),
    [code.isClosed, code.language, code.text, areLoaded],
  );
  return (
    <div className="code">
      <div className="code-bar">
        <span>{label}</span>
        <button type="button" className="flat" data-copy-code="">
          {_("Copy code")}
        </button>
      </div>
      <pre tabIndex={0} aria-label={label}>
        {code.isClosed ? (
          <code dangerouslySetInnerHTML={{ __html: html }} />
        ) : (
          <GrowingCode text={code.text} />
        )}
      </pre>
    </div>
  );
}

const BlockView = memo(
  function BlockView({ block }: { block: Block }) {
    const hasCode = block.source.includes("```") || block.source.includes("~~~");
    const areLoaded = useSyncExternalStore(
      colours.subscribe,
      () => hasCode && colours.areLoaded(),
    );
    const html = useMemo(
      () => (block.code ? "" : toSafeHtml(block.source, block.isGrowing)),
      [block.source, block.isGrowing, block.code === null, areLoaded],
    );
    if (block.code)
      return <CodeBlock code={block.code} />;
    return <div dangerouslySetInnerHTML={{ __html: html }} />;
  },
  (a, b) => a.block.source === b.block.source && a.block.isGrowing === b.block.isGrowing,
);

/** Markdown that stands. */
export const Markdown = memo(function Markdown({ text }: { text: string }) {
  const blocks = useMemo(() => closeAll(splitBlocks(text)), [text]);
  return (
    <div className="prose">
      {blocks.map((block) => (
        <BlockView key={block.start} block={block} />
      ))}
    </div>
  );
});

/* Where the answer is over, so is its code. */
function closeAll(blocks: Block[]): Block[] {
  return blocks.map((block) =>
    block.code ? { ...block, code: { ...block.code, isClosed: true } } : block);
}

/** Markdown that is being written. */
export function GrowingMarkdown({ text }: { text: string }) {
  const growing = useRef<GrowingBlocks>(null);
  growing.current ??= new GrowingBlocks();
  const blocks = growing.current.update(text);
  return (
    <div className="prose">
      {blocks.map((block) => (
        <BlockView key={block.start} block={block} />
      ))}
    </div>
  );
}
