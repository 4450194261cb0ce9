// SPDX-License-Identifier: GPL-3.0-or-later
import { useEffect, useLayoutEffect, useRef, useState, type RefObject } from "react";

import { keep, load } from "./drafts";
import { _ } from "./i18n";
import { Icon } from "./icons";

const draftName = (moduleId: string) => `draft:${moduleId}`;

function hintFor(isConnected: boolean, isBusy: boolean): string {
  if (isBusy)
    return _("What you write now can be sent when the answer is complete.");
  return isConnected
    ? _("Enter sends, Shift+Enter starts a new line.")
    : _("What you send now is asked as soon as the connection is back.");
}

/**
 * Where one types. What is not sent is kept by conversation; what was refused comes back, unless
 * something new has been typed since.
 */
export function Composer({ moduleId, isBusy, isConnected, send, stop, editLast, input }: {
  moduleId: string;
  isBusy: boolean;
  isConnected: boolean;
  send: (content: string) => Promise<boolean>;
  stop: () => void;
  editLast: () => void;
  input: RefObject<HTMLTextAreaElement | null>;
}) {
  const [text, setText] = useState(() => load(draftName(moduleId)));
  const latest = useRef(text);
  const canSend = text.trim() !== "" && !isBusy;

  const change = (value: string) => {
    latest.current = value;
    setText(value);
    keep(draftName(moduleId), value);
  };

  useLayoutEffect(() => {
    const area = input.current!;
    area.style.height = "auto";
    area.style.height = `${area.scrollHeight + 2}px`;
  }, [text, input]);

  useEffect(() => {
    if (matchMedia("(hover: hover)").matches)
      input.current?.focus();
  }, [input]);

  const submit = async () => {
    if (!canSend)
      return;
    change("");
    input.current?.focus();
    if (!(await send(text)) && latest.current === "")
      change(text);
  };

  return (
    <form
      className="composer"
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <div className="composer-box">
        <textarea
          ref={input}
          rows={1}
          aria-label={_("Message")}
          placeholder={_("Message")}
          aria-describedby="composer-hint"
          autoComplete="off"
          value={text}
          onChange={(event) => change(event.target.value)}
          onKeyDown={(event) => {
            /* Enter that confirms a word of an input method is not meant for the form */
            if (event.key === "Enter" && !event.shiftKey && !event.nativeEvent.isComposing) {
              event.preventDefault();
              void submit();
            } else if (event.key === "ArrowUp" && text === "" && !isBusy) {
              event.preventDefault();
              editLast();
            }
          }}
        />
        {/* Keys keep the two apart: one button that turned from Stop into Send under the pointer
            would take the click for the other. */}
        {isBusy ? (
          <button
            key="stop"
            type="button"
            className="round"
            aria-label={_("Stop")}
            title={_("Stop (Esc)")}
            onClick={() => {
              stop();
              input.current?.focus();
            }}
          >
            <Icon name="stop" />
          </button>
        ) : (
          <button
            key="send"
            type="submit"
            className="round suggested"
            aria-label={_("Send")}
            title={_("Send (Enter)")}
            disabled={!canSend}
          >
            <Icon name="send" />
          </button>
        )}
      </div>
      <p id="composer-hint" className="hint">
        {hintFor(isConnected, isBusy)}
      </p>
    </form>
  );
}
