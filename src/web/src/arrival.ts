// SPDX-License-Identifier: GPL-3.0-or-later
// Messages that one goes to: those that a search has found, wherever they are, and other versions
// of those that are shown.
import { useEffect, useRef, useState, type MouseEvent, type RefObject } from "react";
import type { ChatMessage } from "@confab/react";
import type { VirtuosoHandle } from "react-virtuoso";

import type { Direction } from "./Message";
import { forgetMessage } from "./router";
import { showToast } from "./toasts";

/* For so many pictures the list measures what is new in it. */
const SETTLING_FRAMES = 12;

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
 * Shows the message that the address names. It may be on a branch that is not visible, or, where
 * the branch cannot be changed now, on an older page. `reveal` resolves to why that was refused.
 */
export function useShownMessage({ list, follows }: ListPlace, { messages, shownId, reveal, hasMore,
  isLoadingMore, loadMore }: {
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

  useEffect(() => {
    if (shownId === undefined) {
      asked.current = undefined;
      setAnswer(null);
    } else if (index >= 0) {
      follows.current = false;
      list.current?.scrollToIndex({ index, align: "center" });
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
  }, [shownId, index, answer, hasMore, isLoadingMore, loadMore, reveal, list, follows]);
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
    const find = () => element.querySelector(`[data-versions="${CSS.escape(id)}"]`);
    let frame = 0;
    let count = 0;
    let isFocused = false;
    const settle = () => {
      const control = find();
      if (control) {
        if (!isFocused)
          focusWayOn(control, direction);
        isFocused = true;
        element.scrollTop += control.getBoundingClientRect().top - top;
      }
      if (++count < SETTLING_FRAMES)
        frame = requestAnimationFrame(settle);
    };
    if (!find())
      list.current?.scrollToIndex({
        index: messages.findIndex((message) => message.id === id),
        align: "end",
      });
    settle();
    return () => cancelAnimationFrame(frame);
  }, [arrival]);

  return (event: MouseEvent) => {
    const control = (event.target as Element).closest("[data-versions]");
    if (!control)
      return;
    pressedAt.current = control.getBoundingClientRect().top;
    follows.current = false;
  };
}
