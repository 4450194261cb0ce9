// SPDX-License-Identifier: GPL-3.0-or-later
import { useCallback, useEffect, useMemo, useRef, useState, type RefObject } from "react";
import {
  CallError,
  useAIChat,
  useSocket,
  type ChatMessage,
  type Module,
  type Session,
} from "@confab/react";

import type { Arrival } from "./arrival";
import { Composer } from "./Composer";
import { TitleDialog } from "./Dialog";
import { exportChat } from "./exports";
import { _, format } from "./i18n";
import { Icon } from "./icons";
import { changeModule, deleteModule, sessionTitleOf, titleOf, type Library } from "./library";
import { MenuButton } from "./Menu";
import { announcementOf, type Editing, type MessageActions } from "./Message";
import { MessageList } from "./MessageList";
import { navigateToNew, type Place } from "./router";
import { SettingsDialog } from "./SettingsDialog";
import { showToast } from "./toasts";

/** Who answers here: the model that was chosen, else the one that answers for want of a choice. */
function modelLabel(module: Module | undefined, library: Library): string {
  const name = module?.provider;
  const provider = library.providers.find((candidate) =>
    name ? candidate.name === name : candidate.default);
  const label = provider?.name === "builtin" ? _("Built-in talker") : provider?.name;
  return module?.model || provider?.model || label || _("Model");
}

/** Why something was refused, or could not be asked. */
function reasonOf(error: unknown): string {
  return error instanceof Error && !(error instanceof CallError)
    ? error.message
    : _("There is no connection to Confab. Try again in a moment.");
}

/** What a screen reader is told when another version has taken the place of one. */
function versionOf(message: ChatMessage | undefined): string {
  const { index, count } = message?.branches ?? { index: 1, count: 1 };
  return format(_("Version %d of %d"), index, count);
}

function EmptyChat({ library, module, choose }: {
  library: Library;
  module: Module | undefined;
  choose: (text: string) => void;
}) {
  const isTalker = (module?.provider ?? library.providers.find((p) => p.default)?.name)
    === "builtin";
  const starters = [
    _("Explain something that I do not understand"),
    _("Help me to find the right words"),
    _("Look at a piece of code with me"),
  ];
  return (
    <div className="status-page">
      <Icon name="chat" />
      <h2>{_("What is on your mind?")}</h2>
      <p>
        {isTalker
          ? _("No model is connected: the built-in talker answers, and tells how to connect one.")
          : _("Ask something; the answer appears as it is written.")}
      </p>
      <div className="starters">
        {starters.map((text) => (
          <button key={text} type="button" onClick={() => choose(text)}>
            {text}
          </button>
        ))}
      </div>
    </div>
  );
}

function LoadingFailed({ reason, retry }: { reason: string; retry: () => void }) {
  return (
    <div className="status-page" role="alert">
      <Icon name="attention" />
      <h2>{_("This chat could not be loaded")}</h2>
      <p>{reason}</p>
      <button type="button" className="suggested pill" onClick={retry}>
        {_("Try again")}
      </button>
    </div>
  );
}

function Loading() {
  return (
    <div className="skeletons" role="status">
      <span className="visually-hidden">{_("Loading the conversation")}</span>
      <div className="skeleton question" />
      <div className="skeleton" />
      <div className="skeleton short" />
    </div>
  );
}

/** One conversation: mounted anew for each. */
export function ChatPane({ place, library, module, session, openSidebar, isSidebarOpen, input }: {
  place: Place;
  library: Library;
  module: Module | undefined;
  session: Session | undefined;
  openSidebar: () => void;
  isSidebarOpen: boolean;
  input: RefObject<HTMLTextAreaElement | null>;
}) {
  const { sessionId, moduleId } = place;
  const options = useMemo(() => ({ moduleId, sessionId }), [moduleId, sessionId]);
  const chat = useAIChat({ ...options, stream: false });
  const { transport } = useSocket();
  const { messages, status, error, isLoaded, sendMessage, regenerate, stop, loadMore,
    switchBranch } = chat;
  const [dialog, setDialog] = useState<"settings" | "rename" | null>(null);
  const [editing, setEditing] = useState<Editing | null>(null);
  const [arrival, setArrival] = useState<Arrival | null>(null);
  const [announcement, setAnnouncement] = useState("");
  const isBusy = status === "submitted" || status === "streaming";
  const title = titleOf(module);

  useEffect(() => {
    document.title = messages.length > 0 && module?.title
      ? `${module.title} – Confab` : "Confab";
  }, [messages.length, module?.title]);

  const reveal = useCallback(
    (id: string) => switchBranch(id).then(() => null, reasonOf),
    [switchBranch],
  );

  const actions = useMemo<MessageActions>(
    () => ({
      switchBranch: async (id, direction) => {
        setAnnouncement("");
        const reason = await reveal(id);
        if (reason === null)
          setArrival({ id, direction });
        else
          showToast(reason);
      },
      setEditing: (id) => {
        setEditing(id === null ? null : { id });
        if (id === null)
          input.current?.focus();
      },
      regenerate: async (id, content) => {
        const isAccepted = await regenerate(id, content);
        /* what was refused is not lost */
        if (!isAccepted && content !== undefined)
          setEditing((now) => now ?? { id, text: content });
      },
    }),
    [regenerate, reveal, input],
  );

  useEffect(() => {
    if (arrival)
      setAnnouncement(versionOf(messages.find(({ id }) => id === arrival.id)));
  }, [arrival]);

  /* a screen reader is told once, of the whole answer, and not of what was there before */
  const last = messages.at(-1);
  const wasBusy = useRef(false);
  useEffect(() => {
    if (wasBusy.current && !isBusy && last?.role === "assistant")
      setAnnouncement(announcementOf(last));
    else if (isBusy && !wasBusy.current)
      setAnnouncement(_("The answer is being written."));
    wasBusy.current = isBusy;
  }, [isBusy, last]);

  /* what was refused ends nothing; a failed answer tells its reason itself */
  useEffect(() => {
    if (error && isLoaded && last?.error?.message !== error.message)
      showToast(error.message);
  }, [error]);

  useEffect(() => {
    const handleKey = (event: KeyboardEvent) => {
      if (event.key === "Escape" && isBusy && !document.querySelector("dialog[open], .menu"))
        stop();
    };
    document.addEventListener("keydown", handleKey);
    return () => document.removeEventListener("keydown", handleKey);
  }, [isBusy, stop]);

  const editLast = useCallback(() => {
    const question = messages.findLast(({ role }) => role === "user");
    if (question)
      setEditing({ id: question.id });
  }, [messages]);

  const remove = () => {
    if (module)
      deleteModule(module);
    navigateToNew(sessionId);
  };

  const save = (kind: "md" | "json") => {
    if (module)
      void exportChat(session, module, kind);
  };

  const menu = [
    { label: _("Rename…"), run: () => setDialog("rename") },
    { label: _("Export as Markdown"), run: () => save("md") },
    { label: _("Export as JSON"), run: () => save("json") },
    { label: _("Delete"), run: remove, isDestructive: true },
  ];

  return (
    <section className="chat" aria-labelledby="chat-title">
      <header className="headerbar">
        <button
          type="button"
          className="flat icon-button"
          aria-label={isSidebarOpen ? _("Hide the list of chats") : _("Show the list of chats")}
          aria-expanded={isSidebarOpen}
          onClick={openSidebar}
        >
          <Icon name="sidebar" />
        </button>
        <div className="title">
          <h1 id="chat-title">{title}</h1>
          {session && <p>{sessionTitleOf(session)}</p>}
        </div>
        <button
          type="button"
          className="flat model"
          aria-label={`${_("Chat settings")}: ${modelLabel(module, library)}`}
          title={_("Chat settings")}
          onClick={() => setDialog("settings")}
        >
          <span>{modelLabel(module, library)}</span>
          <Icon name="down" />
        </button>
        {module && <MenuButton label={_("Chat menu")} items={menu} />}
      </header>

      <div className="chat-body">
        {chat.isDeleted && (
          <div className="status-page">
            <Icon name="delete" />
            <h2>{_("This chat was deleted")}</h2>
            <button
              type="button"
              className="suggested pill"
              onClick={() => navigateToNew(sessionId)}
            >
              {_("New chat")}
            </button>
          </div>
        )}
        {!chat.isDeleted && messages.length === 0 && !isBusy && (
          isLoaded ? (
            <EmptyChat
              library={library}
              module={module}
              choose={(text) => void sendMessage(text)}
            />
          ) : error ? (
            <LoadingFailed reason={error.message} retry={() => void chat.reload()} />
          ) : (
            <Loading />
          )
        )}
        {(messages.length > 0 || isBusy) && (
          <MessageList
            options={options}
            messages={messages}
            isGrowing={isBusy}
            hasMore={chat.hasMore}
            isLoadingMore={chat.isLoadingMore}
            loadMore={loadMore}
            shownId={place.messageId}
            reveal={reveal}
            actions={actions}
            editing={editing}
            arrival={arrival}
            isBusy={isBusy}
          />
        )}
      </div>

      <div className="visually-hidden" aria-live="polite" data-testid="announcer">
        {announcement}
      </div>
      {!chat.isDeleted && (
        <Composer
          moduleId={moduleId}
          isBusy={isBusy}
          isConnected={transport !== null}
          send={sendMessage}
          stop={stop}
          editLast={editLast}
          input={input}
        />
      )}

      {dialog === "settings" && (
        <SettingsDialog
          place={place}
          module={module}
          providers={library.providers}
          close={() => setDialog(null)}
        />
      )}
      {dialog === "rename" && (
        <TitleDialog
          title={_("Rename chat")}
          label={_("Title")}
          value={module?.title ?? ""}
          submitLabel={_("Rename")}
          submit={(text) => changeModule(place, { title: text })}
          close={() => setDialog(null)}
        />
      )}
    </section>
  );
}
