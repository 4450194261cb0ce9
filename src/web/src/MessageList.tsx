// SPDX-License-Identifier: GPL-3.0-or-later
import {
  memo,
  useCallback,
  useEffect,
  useMemo,
  useRef,
  useState,
  type MouseEvent as ReactMouseEvent,
} from "react";
import { Virtuoso, type VirtuosoHandle } from "react-virtuoso";
import { useAIChatStream, type ChatMessage, type ChatOptions } from "@confab/react";

import { useShownMessage, useSteadyVersions, type Arrival } from "./arrival";
import { copyText } from "./clipboard";
import { _ } from "./i18n";
import { Icon } from "./icons";
import { Answer, GrowingAnswer, Question, type Editing, type MessageActions } from "./Message";

/* So many messages can come before the first one that is shown. */
const FIRST_INDEX = 1000000;
/* How near to its end a reader is who wants to see what comes next. */
const NEAR_PX = 60;

const Growing = memo(function Growing({ options }: { options: ChatOptions }) {
  return <GrowingAnswer stream={useAIChatStream(options)} />;
});

type Item = ChatMessage | "growing";

interface Context {
  isLoadingMore: boolean;
}

const components = {
  Header: ({ context }: { context?: Context }) => (
    <div className="list-head">
      {context?.isLoadingMore && <span className="note">{_("Loading older messages…")}</span>}
    </div>
  ),
  Footer: () => <div className="list-foot" />,
};

/** Copies the code beside the button that was pressed, which may stand in HTML of Markdown. */
function handleCopyCode(event: ReactMouseEvent) {
  const button = (event.target as Element).closest?.("[data-copy-code]");
  const code = button?.closest(".code")?.querySelector("pre");
  if (!button || !code)
    return;
  void copyText(code.textContent ?? "").then((done) => {
    button.textContent = done ? _("Copied") : _("Could not copy");
    setTimeout(() => {
      button.textContent = _("Copy code");
    }, 1600);
  });
}

export function MessageList({ options, messages, isGrowing, hasMore, isLoadingMore, loadMore,
  shownId, reveal, actions, editing, arrival, isBusy }: {
  options: ChatOptions;
  messages: ChatMessage[];
  isGrowing: boolean;
  hasMore: boolean;
  isLoadingMore: boolean;
  loadMore: () => Promise<void>;
  shownId: string | undefined;
  reveal: (messageId: string) => Promise<string | null>;
  actions: MessageActions;
  editing: Editing | null;
  arrival: Arrival | null;
  isBusy: boolean;
}) {
  const list = useRef<VirtuosoHandle>(null);
  const scroller = useRef<HTMLElement | null>(null);
  const follows = useRef(true);
  const [isAtEnd, setAtEnd] = useState(true);

  const items = useMemo<Item[]>(
    () => (isGrowing ? [...messages, "growing"] : messages),
    [messages, isGrowing],
  );

  /* how many have been put before those of the first time */
  const first = useRef({ index: FIRST_INDEX, id: messages[0]?.id });
  const firstId = messages[0]?.id;
  if (first.current.id !== firstId) {
    const before = messages.findIndex(({ id }) => id === first.current.id);
    first.current = { index: first.current.index - Math.max(before, 0), id: firstId };
  }

  const scrollToEnd = useCallback(() => {
    const element = scroller.current;
    if (element)
      element.scrollTop = element.scrollHeight;
  }, []);

  /* The reader decides by scrolling; what grows under them decides nothing. */
  const attach = useCallback((element: HTMLElement | Window | null) => {
    if (!(element instanceof HTMLElement))
      return;
    scroller.current = element;
    element.tabIndex = 0;
    element.setAttribute("role", "region");
    element.setAttribute("aria-label", _("Conversation"));
    let lastTop = element.scrollTop;
    let lastHeight = element.scrollHeight;
    element.addEventListener("scroll", () => {
      const rest = element.scrollHeight - element.scrollTop - element.clientHeight;
      const wentUp = element.scrollTop < lastTop - 1 && element.scrollHeight >= lastHeight;
      if (rest < NEAR_PX)
        follows.current = true;
      else if (wentUp)
        follows.current = false;
      lastTop = element.scrollTop;
      lastHeight = element.scrollHeight;
      setAtEnd(rest < NEAR_PX);
    }, { passive: true });
  }, []);

  const keepEnd = useCallback(() => {
    if (follows.current)
      scrollToEnd();
  }, [scrollToEnd]);

  /* one's own question is always looked at */
  const lastQuestion = messages.findLast(({ role }) => role === "user");
  const isPending = lastQuestion?.state === "pending";
  useEffect(() => {
    if (isPending) {
      follows.current = true;
      list.current?.scrollToIndex({ index: "LAST", align: "end" });
    }
  }, [isPending, lastQuestion?.id]);

  const place = { list, scroller, follows };
  useShownMessage(place, { messages, shownId, reveal, hasMore, isLoadingMore, loadMore });
  const handlePress = useSteadyVersions(place, messages, arrival);

  const lastId = messages.at(-1)?.id;
  const renderItem = (_index: number, item: Item) => {
    if (item === "growing")
      return <Growing options={options} />;
    if (item.role === "user")
      return (
        <Question
          message={item}
          editing={editing?.id === item.id ? editing : null}
          isBusy={isBusy}
          actions={actions}
        />
      );
    return (
      <Answer
        message={item}
        isLast={!isGrowing && item.id === lastId}
        isBusy={isBusy}
        actions={actions}
      />
    );
  };

  return (
    <div className="list" onClickCapture={handlePress} onClick={handleCopyCode}>
      <Virtuoso<Item, Context>
        ref={list}
        data={items}
        context={{ isLoadingMore }}
        components={components}
        computeItemKey={(_index, item) => (item === "growing" ? "growing" : item.id)}
        itemContent={renderItem}
        firstItemIndex={first.current.index}
        initialTopMostItemIndex={{ index: "LAST", align: "end" }}
        increaseViewportBy={400}
        scrollerRef={attach}
        startReached={() => {
          if (hasMore)
            void loadMore();
        }}
        followOutput={() => (follows.current ? "auto" : false)}
        totalListHeightChanged={keepEnd}
      />
      {!isAtEnd && (
        <button
          type="button"
          className="to-end"
          aria-label={_("Go to the end")}
          title={_("Go to the end")}
          onClick={() => {
            follows.current = true;
            list.current?.scrollToIndex({ index: "LAST", align: "end" });
            scrollToEnd();
          }}
        >
          <Icon name="down" />
        </button>
      )}
    </div>
  );
}
