// SPDX-License-Identifier: GPL-3.0-or-later
// Messages that one goes to: those that a search has found, wherever they are, and other versions
// of those that are shown.
import { useEffect, useRef, useState, type MouseEvent, type RefObject } from "react";
import type { ChatMessage } from "@confab/react";
import type { VirtuosoHandle } from "react-virtuoso";

import type { Direction } from "./Message";
import { forgetMessage } from "./router";
import { showToast } from "./toasts";

/* What has stayed in its place for so many pictures is taken to be there for good; a list that is
 * new measures itself for a while. */
const STEADY_FRAMES = 8;
const MAX_FRAMES = 90;

/** The version that was gone to, whose control takes the place of the one that was pressed. */
export interface Arrival {
  id: string;
  direction: Direction;
}

export interface ListPlace {
  list: RefObject<VirtuosoHandle | null>;
  scroller: RefObject<HTMLElement | null>;
  /** Whether what comes at the end is looked at. */
  follows: RefObject<boolean>;
}

/**
 * Scrolls until something is where it is to be, and stays there: lists measure what is new in them
 * picture by picture. `offBy` tells how many pixels it is too far down; where `find` finds nothing,
 * `fetch` has it rendered. Returns what ends that.
 */
function settle(scroller: HTMLElement, follows: ListPlace["follows"], { find, offBy, fetch }: {
  find: () => Element | null;
  offBy: (found: DOMRect) => number;
  fetch: () => void;
}): () => void {
  let frame = 0;
  let count = 0;
  let steady = 0;
  let lastTop = NaN;
  const step = () => {
    const found = find();
    /* whoever was at the end would be taken back there by what grows */
    follows.current = false;
    if (found) {
      scroller.scrollTop += offBy(found.getBoundingClientRect());
      const { top } = found.getBoundingClientRect();
      steady = Math.abs(top - lastTop) < 1 ? steady + 1 : 0;
      lastTop = top;
    } else
      fetch();
    if (steady < STEADY_FRAMES && ++count < MAX_FRAMES)
      frame = requestAnimationFrame(step);
  };
  step();
  return () => cancelAnimationFrame(frame);
}

/* In the middle, or from its beginning if it is longer than the page. */
function offByToRead(scroller: HTMLElement, { top, height }: DOMRect): number {
  const page = scroller.getBoundingClientRect();
  return top - page.top - Math.max((page.height - height) / 2, 0);
}

/**
 * Shows the message that the address names. It may be on a branch that is not visible, or, where
 * the branch cannot be changed now, on an older page. `reveal` resolves to why that was refused.
 */
export function useShownMessage({ list, scroller, follows }: ListPlace, { messages, shownId,
  reveal, hasMore, isLoadingMore, loadMore }: {
  messages: ChatMessage[];
  shownId: string | undefined;
  reveal: (messageId: string) => Promise<string | null>;
  hasMore: boolean;
  isLoadingMore: boolean;
  loadMore: () => Promise<void>;
}) {
  const asked = useRef<string>(undefined);
  const [answer, setAnswer] = useState<{ id: string; reason: string | null } | null>(null);
  const index = shownId === undefined ? -1 : messages.findIndex(({ id }) => id === shownId);
  const latest = useRef(messages);
  latest.current = messages;
  const end = useRef<() => void>(undefined);
  useEffect(() => () => end.current?.(), []);

  const show = (messageId: string) => {
    const element = scroller.current;
    if (!element)
      return;
    end.current?.();
    end.current = settle(element, follows, {
      find: () => element.querySelector(`[data-message="${CSS.escape(messageId)}"]`),
      offBy: (found) => offByToRead(element, found),
      fetch: () => list.current?.scrollToIndex({
        index: latest.current.findIndex(({ id }) => id === messageId),
        align: "center",
      }),
    });
  };

  useEffect(() => {
    if (shownId === undefined) {
      asked.current = undefined;
      setAnswer(null);
    } else if (index >= 0) {
      show(shownId);
      forgetMessage();
    } else if (asked.current !== shownId) {
      asked.current = shownId;
      void reveal(shownId).then((reason) => setAnswer({ id: shownId, reason }));
    } else if (answer?.id === shownId && hasMore) {
      if (!isLoadingMore)
        void loadMore();
    } else if (answer?.id === shownId) {
      if (answer.reason !== null)
        showToast(answer.reason);
      forgetMessage();
    }
  }, [shownId, index, answer, hasMore, isLoadingMore, loadMore, reveal]);
}

/* At either end of the row the way on is closed. */
function focusWayOn(control: Element, direction: Direction) {
  const [previous, next] = control.querySelectorAll("button");
  const [wanted, other] = direction === "previous" ? [previous, next] : [next, previous];
  (wanted?.disabled ? other : wanted)?.focus({ preventScroll: true });
}

/**
 * Keeps the control of versions where it was pressed, whatever the length of the version that is
 * shown then, and gives it the focus. Returns a handler for clicks in the list.
 */
export function useSteadyVersions({ list, scroller, follows }: ListPlace, messages: ChatMessage[],
  arrival: Arrival | null) {
  const pressedAt = useRef<number>(undefined);

  useEffect(() => {
    const element = scroller.current;
    const top = pressedAt.current;
    pressedAt.current = undefined;
    if (!arrival || !element || top === undefined)
      return undefined;
    const { id, direction } = arrival;
    let isFocused = false;
    return settle(element, follows, {
      find: () => {
        const control = element.querySelector(`[data-versions="${CSS.escape(id)}"]`);
        if (control && !isFocused)
          focusWayOn(control, direction);
        isFocused ||= control !== null;
        return control;
      },
      offBy: (found) => found.top - top,
      fetch: () => list.current?.scrollToIndex({
        index: messages.findIndex((message) => message.id === id),
        align: "end",
      }),
    });
  }, [arrival]);

  return (event: MouseEvent) => {
    const button = (event.target as Element).closest("[data-versions] button");
    const control = button?.closest("[data-versions]");
    if (!control)
      return;
    pressedAt.current = control.getBoundingClientRect().top;
    follows.current = false;
  };
}
