// SPDX-License-Identifier: GPL-3.0-or-later
import { useEffect, useRef, useState } from "react";
import { useSocket } from "@confab/react";

import { ChatPane } from "./ChatPane";
import { Dialog } from "./Dialog";
import { keep, load } from "./drafts";
import { _ } from "./i18n";
import { Icon } from "./icons";
import { followLibrary, useLibrary, wantModules } from "./library";
import { navigateToNew, usePlace } from "./router";
import { Sidebar } from "./Sidebar";
import { dismiss, endToasts, useToasts } from "./toasts";

const WIDE = "(min-width: 760px)";
/* A connection that is back at once was never away, for a reader. */
const PATIENCE_MS = 1200;

function ConnectionBanner() {
  const { isConnected, error, transport } = useSocket();
  const [isLate, setLate] = useState(false);

  useEffect(() => {
    if (isConnected) {
      setLate(false);
      return undefined;
    }
    const timer = setTimeout(() => setLate(true), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, [isConnected]);

  const isShown = !isConnected && (isLate || error?.code === "unauthorized");
  const text = error?.code === "unauthorized"
    ? _("This browser is not signed in: open the address that confabd printed.")
    : _("Connection lost, trying again…");
  return (
    <div role="status" data-transport={transport ?? "none"}>
      {isShown && (
        <p className="banner">
          <Icon name="attention" />
          {text}
        </p>
      )}
      {isConnected && <span className="visually-hidden">{_("Connected")}</span>}
    </div>
  );
}

function Toasts() {
  const toasts = useToasts();
  useEffect(() => {
    window.addEventListener("pagehide", endToasts);
    return () => window.removeEventListener("pagehide", endToasts);
  }, []);
  return (
    <div className="toasts" role="status">
      {toasts.map(({ id, text, action }) => (
        <div key={id} className="toast">
          <span>{text}</span>
          {action && (
            <button
              type="button"
              className="flat"
              onClick={() => {
                action.run();
                dismiss(id, true);
              }}
            >
              {action.label}
            </button>
          )}
          <button
            type="button"
            className="flat icon-button small"
            aria-label={_("Dismiss")}
            onClick={() => dismiss(id)}
          >
            <Icon name="close" />
          </button>
        </div>
      ))}
    </div>
  );
}

function Shortcuts({ close }: { close: () => void }) {
  const rows = [
    ["Enter", _("Send")],
    ["Shift+Enter", _("New line")],
    ["Esc", _("Stop the answer")],
    ["↑", _("Edit the last message, in an empty field")],
    ["Ctrl+K", _("Search all chats")],
    ["Ctrl+Shift+O", _("New chat")],
    ["Ctrl+B", _("Show or hide the list of chats")],
    ["Ctrl+/", _("This list")],
  ];
  return (
    <Dialog title={_("Keyboard shortcuts")} close={close}>
      <dl className="shortcuts">
        {rows.map(([key, text]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{text}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}

export function App() {
  const place = usePlace();
  const library = useLibrary();
  const { socket, isConnected, transport, call } = useSocket();
  const [isOpen, setOpen] = useState(() =>
    matchMedia(WIDE).matches && load("sidebar") !== "closed");
  const [isHelpOpen, setHelpOpen] = useState(false);
  const search = useRef<HTMLInputElement>(null);
  const input = useRef<HTMLTextAreaElement>(null);
  const isHttp = transport === "http";

  useEffect(() => {
    if (socket && isConnected)
      return followLibrary(socket, call, isHttp);
    return undefined;
  }, [socket, isConnected, call, isHttp]);

  useEffect(() => wantModules(place.sessionId), [place.sessionId]);

  const toggle = (open: boolean) => {
    setOpen(open);
    if (matchMedia(WIDE).matches)
      keep("sidebar", open ? "" : "closed");
  };
  /* where the list covers the chat, it goes when something was chosen */
  const closeIfNarrow = () => {
    if (!matchMedia(WIDE).matches)
      setOpen(false);
    input.current?.focus();
  };

  useEffect(() => {
    const handleKey = (event: KeyboardEvent) => {
      if (!(event.ctrlKey || event.metaKey) || event.altKey)
        return;
      const key = event.key.toLowerCase();
      const run = {
        "k": () => {
          setOpen(true);
          setTimeout(() => search.current?.focus());
        },
        "b": () => toggle(!isOpen),
        "/": () => setHelpOpen(true),
        "o": event.shiftKey ? () => navigateToNew(place.sessionId) : undefined,
      }[key];
      if (run) {
        event.preventDefault();
        run();
      }
    };
    document.addEventListener("keydown", handleKey);
    return () => document.removeEventListener("keydown", handleKey);
  });

  useEffect(() => {
    const handleEscape = (event: KeyboardEvent) => {
      if (event.key === "Escape" && isOpen && !matchMedia(WIDE).matches
          && !document.querySelector("dialog[open], .menu"))
        setOpen(false);
    };
    document.addEventListener("keydown", handleEscape);
    return () => document.removeEventListener("keydown", handleEscape);
  }, [isOpen]);

  const module = library.modules[place.sessionId]?.find(
    ({ moduleId }) => moduleId === place.moduleId,
  );
  const session = library.sessions.find(({ sessionId }) => sessionId === place.sessionId);

  return (
    <div className={isOpen ? "app with-sidebar" : "app"}>
      {isOpen && (
        <>
          <Sidebar place={place} library={library} done={closeIfNarrow} search={search} />
          <div className="shade" onClick={() => setOpen(false)} />
        </>
      )}
      <main>
        <ConnectionBanner />
        <ChatPane
          key={place.moduleId}
          place={place}
          library={library}
          module={module}
          session={session}
          openSidebar={() => toggle(!isOpen)}
          isSidebarOpen={isOpen}
          input={input}
        />
      </main>
      <Toasts />
      {isHelpOpen && <Shortcuts close={() => setHelpOpen(false)} />}
    </div>
  );
}
