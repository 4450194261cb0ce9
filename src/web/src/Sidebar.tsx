// SPDX-License-Identifier: GPL-3.0-or-later
import { useEffect, useState, type RefObject } from "react";
import type { Module, SearchResult, Session } from "@confab/react";
import { isEnded, makeId } from "@confab/react";

import { TitleDialog } from "./Dialog";
import { keep, load } from "./drafts";
import { _, ngettext } from "./i18n";
import { Icon } from "./icons";
import {
  ask,
  changeModule,
  deleteModule,
  deleteSession,
  sessionTitleOf,
  titleOf,
  wantModules,
  type Library,
} from "./library";
import { MenuButton } from "./Menu";
import { addressOf, navigate, navigateToNew, type Place } from "./router";

/* Of one session; more are shown when asked for. */
const SHOWN = 100;
const SEARCH_DELAY_MS = 200;

type Renaming = { module: Module } | { session: Session } | "new-session";

/** A link within the page, which the browser may also open elsewhere. */
function PlaceLink({ to, children, isCurrent = false, done }: {
  to: Place;
  children: React.ReactNode;
  isCurrent?: boolean;
  done: () => void;
}) {
  return (
    <a
      href={addressOf(to)}
      aria-current={isCurrent ? "page" : undefined}
      onClick={(event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0)
          return;
        event.preventDefault();
        navigate(to);
        done();
      }}
    >
      {children}
    </a>
  );
}

function ModuleRow({ module, isCurrent, done, rename }: {
  module: Module;
  isCurrent: boolean;
  done: () => void;
  rename: () => void;
}) {
  const title = titleOf(module);
  const isRunning = module.state !== "idle" && !isEnded(module.state);
  return (
    <li className={isCurrent ? "module current" : "module"}>
      <PlaceLink to={module} isCurrent={isCurrent} done={done}>
        <span className="ellipsis">{title}</span>
        {isRunning && (
          <span className="running" role="img" aria-label={_("An answer is being written")} />
        )}
      </PlaceLink>
      <MenuButton
        label={`${_("Menu of")} ${title}`}
        className="small"
        items={[
          { label: _("Rename…"), run: rename },
          {
            label: _("Delete"),
            isDestructive: true,
            run: () => {
              deleteModule(module);
              if (isCurrent)
                navigateToNew(module.sessionId);
            },
          },
        ]}
      />
    </li>
  );
}

function SessionGroup({ session, modules, place, done, rename }: {
  session: Session;
  modules: Module[] | undefined;
  place: Place;
  done: () => void;
  rename: (what: Renaming) => void;
}) {
  const { sessionId } = session;
  const isCurrent = sessionId === place.sessionId;
  const [isOpen, setOpen] = useState(() => load(`open:${sessionId}`) !== "no");
  const [shown, setShown] = useState(SHOWN);
  const title = sessionTitleOf(session);

  useEffect(() => {
    if (isOpen || isCurrent)
      wantModules(sessionId);
  }, [isOpen, isCurrent, sessionId]);

  const toggle = () => {
    keep(`open:${sessionId}`, isOpen ? "no" : "");
    setOpen(!isOpen);
  };

  return (
    <section className="session" aria-label={title}>
      <div className="session-head">
        <h3>
          <button
            type="button"
            className="flat"
            aria-expanded={isOpen}
            onClick={toggle}
          >
            <Icon name="down" />
            <span className="ellipsis">{title}</span>
          </button>
        </h3>
        <MenuButton
          label={`${_("Menu of")} ${title}`}
          className="small"
          items={[
            {
              label: _("New chat here"),
              run: () => {
                navigateToNew(sessionId);
                done();
              },
            },
            { label: _("Rename…"), run: () => rename({ session }) },
            {
              label: _("Delete session"),
              isDestructive: true,
              run: () => {
                deleteSession(session);
                if (isCurrent)
                  navigateToNew("default");
              },
            },
          ]}
        />
      </div>
      {isOpen && modules && modules.length === 0 && (
        <p className="note">{_("No chats yet")}</p>
      )}
      {isOpen && modules && modules.length > 0 && (
        <ul>
          {modules.slice(0, shown).map((module) => (
            <ModuleRow
              key={module.moduleId}
              module={module}
              isCurrent={module.moduleId === place.moduleId}
              done={done}
              rename={() => rename({ module })}
            />
          ))}
        </ul>
      )}
      {isOpen && modules && modules.length > shown && (
        <button type="button" className="flat more" onClick={() => setShown(shown + SHOWN)}>
          {ngettext("Show %d more", "Show %d more", Math.min(SHOWN, modules.length - shown))}
        </button>
      )}
    </section>
  );
}

function Results({ query, library, done }: { query: string; library: Library; done: () => void }) {
  const [results, setResults] = useState<SearchResult[] | null>(null);

  useEffect(() => {
    let isWanted = true;
    const timer = setTimeout(() => {
      void ask("ai:chat:search", { query, limit: 50 }).then((ack) => {
        if (isWanted && ack)
          setResults(ack.results);
      });
    }, SEARCH_DELAY_MS);
    return () => {
      isWanted = false;
      clearTimeout(timer);
    };
  }, [query]);

  const sessionOf = (id: string) => library.sessions.find(({ sessionId }) => sessionId === id);
  return (
    <div role="region" aria-label={_("Search results")}>
      <p className="note" role="status">
        {results === null
          ? _("Searching…")
          : ngettext("%d result", "%d results", results.length)}
      </p>
      <ul className="results">
        {results?.filter(({ moduleId }) => moduleId).map((result, i) => {
          const session = sessionOf(result.sessionId);
          return (
            <li key={i}>
              <PlaceLink
                to={{
                  sessionId: result.sessionId,
                  moduleId: result.moduleId!,
                  ...(result.messageId ? { messageId: result.messageId } : {}),
                }}
                done={done}
              >
                <span className="ellipsis">{result.title || _("New chat")}</span>
                <span className="snippet">{result.snippet}</span>
                {session && <span className="snippet">{sessionTitleOf(session)}</span>}
              </PlaceLink>
            </li>
          );
        })}
      </ul>
    </div>
  );
}

export function Sidebar({ place, library, done, search }: {
  place: Place;
  library: Library;
  done: () => void;
  search: RefObject<HTMLInputElement | null>;
}) {
  const [query, setQuery] = useState("");
  const [renaming, setRenaming] = useState<Renaming | null>(null);

  const createSession = async (title: string) => {
    const ack = await ask("session:create", { sessionId: makeId(), title });
    if (ack) {
      navigateToNew(ack.session.sessionId);
      done();
    }
    return ack !== null;
  };

  return (
    <nav className="sidebar" aria-label={_("Chats")}>
      <header className="headerbar">
        <button
          type="button"
          className="flat icon-button"
          aria-label={_("New session")}
          title={_("New session")}
          onClick={() => setRenaming("new-session")}
        >
          <Icon name="session" />
        </button>
        <p className="title brand">Confab</p>
        <button
          type="button"
          className="flat icon-button"
          aria-label={_("New chat")}
          title={_("New chat")}
          onClick={() => {
            navigateToNew(place.sessionId);
            done();
          }}
        >
          <Icon name="add" />
        </button>
      </header>
      <div className="search" role="search">
        <Icon name="search" />
        <input
          ref={search}
          type="search"
          aria-label={_("Search all chats")}
          placeholder={_("Search")}
          value={query}
          onChange={(event) => setQuery(event.target.value)}
          onKeyDown={(event) => {
            if (event.key === "Escape")
              setQuery("");
          }}
        />
      </div>
      <div className="sidebar-body">
        {query.trim() ? (
          <Results query={query.trim()} library={library} done={done} />
        ) : (
          <>
            {library.state === "loading" && (
              <p className="note" role="status">{_("Loading…")}</p>
            )}
            {library.state === "failed" && (
              <p className="note" role="status">{_("The chats could not be loaded.")}</p>
            )}
            {library.state === "ready" && library.sessions.length === 0 && (
              <p className="note">{_("Your chats will be listed here.")}</p>
            )}
            {library.sessions.map((session) => (
              <SessionGroup
                key={session.sessionId}
                session={session}
                modules={library.modules[session.sessionId]}
                place={place}
                done={done}
                rename={setRenaming}
              />
            ))}
          </>
        )}
      </div>
      {renaming === "new-session" && (
        <TitleDialog
          title={_("New session")}
          label={_("Title")}
          value=""
          submitLabel={_("Create")}
          submit={createSession}
          close={() => setRenaming(null)}
        />
      )}
      {renaming !== null && renaming !== "new-session" && (
        <TitleDialog
          title={"module" in renaming ? _("Rename chat") : _("Rename session")}
          label={_("Title")}
          value={"module" in renaming ? renaming.module.title : sessionTitleOf(renaming.session)}
          submitLabel={_("Rename")}
          submit={async (title) =>
            "module" in renaming
              ? changeModule(renaming.module, { title })
              : (await ask("session:update", {
                  sessionId: renaming.session.sessionId,
                  title,
                })) !== null}
          close={() => setRenaming(null)}
        />
      )}
    </nav>
  );
}
