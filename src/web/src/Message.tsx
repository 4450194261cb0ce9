// SPDX-License-Identifier: GPL-3.0-or-later
import { memo, useEffect, useRef, useState } from "react";
import type { ChatMessage, StreamSnapshot } from "@confab/react";

import { copyText } from "./clipboard";
import { format, ngettext, _ } from "./i18n";
import { Icon, type IconName } from "./icons";
import { GrowingMarkdown, Markdown } from "./Markdown";

/** The question that is changed, and what was made of it if that was refused before. */
export interface Editing {
  id: string;
  text?: string;
}

/** Which way one goes from a version to another. */
export type Direction = "previous" | "next";

export interface MessageActions {
  switchBranch: (messageId: string, direction: Direction) => Promise<void>;
  regenerate: (messageId: string, content?: string) => Promise<void>;
  setEditing: (messageId: string | null) => void;
}

function noteOf(message: ChatMessage): string | null {
  switch (message.finishReason) {
    case "stopped":
      return _("Stopped.");
    case "length":
      return _("The answer ends here because it reached its length limit.");
    case "content-filter":
      return _("The answer was cut by a content filter.");
    default:
      return message.state === "stopped" ? _("Stopped.") : null;
  }
}

function costOf({ model, usage }: ChatMessage): string {
  const parts = model ? [model] : [];
  if (usage?.inputTokens != null)
    parts.push(ngettext("%d token in", "%d tokens in", usage.inputTokens));
  if (usage?.outputTokens != null)
    parts.push(ngettext("%d token out", "%d tokens out", usage.outputTokens));
  return parts.join(" · ");
}

function ActionButton({ icon, label, run, disabled = false }: {
  icon: IconName;
  label: string;
  run: () => void;
  disabled?: boolean;
}) {
  return (
    <button
      type="button"
      className="flat icon-button small"
      aria-label={label}
      title={label}
      disabled={disabled}
      onClick={run}
    >
      <Icon name={icon} />
    </button>
  );
}

/** The way to the other versions of a message, if there are any. */
function Versions({ message, isBusy, actions }: {
  message: ChatMessage;
  isBusy: boolean;
  actions: MessageActions;
}) {
  if (!message.branches)
    return null;
  const { index, count, previousId, nextId } = message.branches;
  const arrow = (direction: Direction, label: string, id: string | null) => (
    <ActionButton
      icon={direction}
      label={label}
      disabled={isBusy || id === null}
      run={() => id !== null && void actions.switchBranch(id, direction)}
    />
  );
  return (
    <div
      className="versions"
      role="group"
      aria-label={_("Versions")}
      data-versions={message.id}
    >
      {arrow("previous", _("Previous version"), previousId)}
      <span aria-hidden="true">{`${index}/${count}`}</span>
      <span className="visually-hidden">{format(_("%d of %d"), index, count)}</span>
      {arrow("next", _("Next version"), nextId)}
    </div>
  );
}

function CopyButton({ text }: { text: string }) {
  const [isDone, setDone] = useState(false);
  useEffect(() => {
    if (!isDone)
      return undefined;
    const timer = setTimeout(() => setDone(false), 1600);
    return () => clearTimeout(timer);
  }, [isDone]);
  return (
    <ActionButton
      icon={isDone ? "check" : "copy"}
      label={isDone ? _("Copied") : _("Copy message")}
      run={() => void copyText(text).then(setDone)}
    />
  );
}

function Reasoning({ text, isOpen }: { text: string; isOpen: boolean }) {
  return (
    <details className="reasoning">
      <summary>{isOpen ? _("Thinking…") : _("Reasoning")}</summary>
      <p className="plain">{text}</p>
    </details>
  );
}

function QuestionEditor({ message, initialText, isBusy, actions }: {
  message: ChatMessage;
  initialText: string;
  isBusy: boolean;
  actions: MessageActions;
}) {
  const [text, setText] = useState(initialText);
  const area = useRef<HTMLTextAreaElement>(null);
  const canSend = text.trim() !== "" && !isBusy;
  const send = () => {
    if (!canSend)
      return;
    actions.setEditing(null);
    void actions.regenerate(message.id, text);
  };

  useEffect(() => {
    area.current!.focus();
    area.current!.setSelectionRange(initialText.length, initialText.length);
  }, [initialText.length]);

  return (
    <form
      className="question-editor"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <textarea
        ref={area}
        aria-label={_("Edit message")}
        value={text}
        rows={Math.min(12, text.split("\n").length + 1)}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === "Escape") {
            event.stopPropagation();
            actions.setEditing(null);
          } else if (event.key === "Enter" && !event.shiftKey && !event.nativeEvent.isComposing) {
            event.preventDefault();
            send();
          }
        }}
      />
      <div className="row end">
        <button type="button" onClick={() => actions.setEditing(null)}>
          {_("Cancel")}
        </button>
        <button type="submit" className="suggested" disabled={!canSend}>
          {_("Send again")}
        </button>
      </div>
    </form>
  );
}

export const Question = memo(function Question({ message, editing, isBusy, actions }: {
  message: ChatMessage;
  editing: Editing | null;
  isBusy: boolean;
  actions: MessageActions;
}) {
  const isPending = message.state === "pending";
  return (
    <article
      className={isPending ? "turn question pending" : "turn question"}
      data-message={message.id}
    >
      <h2 className="visually-hidden">{_("You")}</h2>
      {editing ? (
        <QuestionEditor
          message={message}
          initialText={editing.text ?? message.content}
          isBusy={isBusy}
          actions={actions}
        />
      ) : (
        <div className="said">
          <p className="bubble plain">{message.content}</p>
          <div className="actions">
            {isPending && <span className="note">{_("Sending…")}</span>}
            <CopyButton text={message.content} />
            <ActionButton
              icon="edit"
              label={_("Edit and send again")}
              disabled={isBusy}
              run={() => actions.setEditing(message.id)}
            />
          </div>
        </div>
      )}
      {!editing && (
        <Versions message={message} isBusy={isBusy} actions={actions} />
      )}
    </article>
  );
});

export const Answer = memo(function Answer({ message, isLast, isBusy, actions }: {
  message: ChatMessage;
  isLast: boolean;
  isBusy: boolean;
  actions: MessageActions;
}) {
  const note = noteOf(message);
  const cost = costOf(message);
  const wasInterrupted = message.state === "interrupted";
  return (
    <article className={isLast ? "turn answer last" : "turn answer"} data-message={message.id}>
      <h2 className="visually-hidden">{_("Answer")}</h2>
      {message.reasoning && <Reasoning text={message.reasoning} isOpen={false} />}
      {message.content && <Markdown text={message.content} />}
      {note && <p className="note">{note}</p>}
      {(message.error || wasInterrupted) && (
        <div className="failure">
          <Icon name="attention" />
          <p>{message.error?.message || _("Confab was interrupted while this was written.")}</p>
          <button
            type="button"
            disabled={isBusy}
            onClick={() => void actions.regenerate(message.id)}
          >
            {_("Try again")}
          </button>
        </div>
      )}
      <div className="actions">
        <Versions message={message} isBusy={isBusy} actions={actions} />
        {message.content && <CopyButton text={message.content} />}
        <ActionButton
          icon="redo"
          label={_("Answer again")}
          disabled={isBusy}
          run={() => void actions.regenerate(message.id)}
        />
        {cost && <span className="cost">{cost}</span>}
      </div>
    </article>
  );
});

/** The answer that is being written; the only thing that is rendered with every piece of it. */
export function GrowingAnswer({ stream }: { stream: StreamSnapshot }) {
  const { text, reasoning } = stream;
  return (
    <article className="turn answer" aria-busy="true">
      <h2 className="visually-hidden">{_("Answer")}</h2>
      {reasoning && <Reasoning text={reasoning} isOpen={!text} />}
      {text ? (
        <GrowingMarkdown text={text} />
      ) : (
        <p className="waiting">
          <span className="visually-hidden">{_("Waiting for the answer")}</span>
          <span className="dot" />
          <span className="dot" />
          <span className="dot" />
        </p>
      )}
    </article>
  );
}

/** What a screen reader is told when an answer has ended: all of it at once, if it is not long. */
export function announcementOf(message: ChatMessage): string {
  const MOST = 1500;
  const text = message.content.length > MOST
    ? format(_("The answer is complete: %s…"), message.content.slice(0, MOST))
    : message.content;
  return [text, noteOf(message), message.error?.message].filter(Boolean).join(" ");
}
