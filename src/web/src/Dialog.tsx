// SPDX-License-Identifier: GPL-3.0-or-later
import { useEffect, useId, useRef, useState, type FormEvent, type ReactNode } from "react";

import { Icon } from "./icons";
import { _ } from "./i18n";

/** A modal window; `submit` is called with Enter or its button, and closes it if that went well. */
export function Dialog({ title, children, submitLabel, submit, close }: {
  title: string;
  children: ReactNode;
  submitLabel?: string;
  submit?: () => Promise<boolean> | boolean;
  close: () => void;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  const [isBusy, setBusy] = useState(false);

  useEffect(() => {
    dialog.current!.showModal();
  }, []);

  const handleSubmit = async (event: FormEvent) => {
    event.preventDefault();
    if (!submit || isBusy)
      return;
    setBusy(true);
    const done = await submit();
    setBusy(false);
    if (done)
      dialog.current?.close();
  };

  return (
    <dialog
      ref={dialog}
      className="dialog"
      aria-labelledby={titleId}
      onClose={close}
      onClick={(event) => {
        if (event.target === dialog.current)
          dialog.current.close();
      }}
    >
      <form method="dialog" onSubmit={(event) => void handleSubmit(event)}>
        <header>
          <h2 id={titleId}>{title}</h2>
          <button
            type="button"
            className="flat icon-button"
            aria-label={_("Close")}
            onClick={() => dialog.current!.close()}
          >
            <Icon name="close" />
          </button>
        </header>
        <div className="dialog-body">{children}</div>
        {submit && (
          <footer>
            <button type="button" onClick={() => dialog.current!.close()}>
              {_("Cancel")}
            </button>
            <button type="submit" className="suggested" disabled={isBusy}>
              {submitLabel ?? _("Save")}
            </button>
          </footer>
        )}
      </form>
    </dialog>
  );
}

/** Asks for one line of text. */
export function TitleDialog({ title, label, value, submitLabel, submit, close }: {
  title: string;
  label: string;
  value: string;
  submitLabel?: string;
  submit: (text: string) => Promise<boolean>;
  close: () => void;
}) {
  const [text, setText] = useState(value);
  const id = useId();
  return (
    <Dialog
      title={title}
      close={close}
      submit={() => submit(text.trim())}
      {...(submitLabel ? { submitLabel } : {})}
    >
      <div className="field">
        <label htmlFor={id}>{label}</label>
        <input
          id={id}
          value={text}
          maxLength={200}
          autoFocus
          autoComplete="off"
          onChange={(event) => setText(event.target.value)}
          onFocus={(event) => event.target.select()}
        />
      </div>
    </Dialog>
  );
}
