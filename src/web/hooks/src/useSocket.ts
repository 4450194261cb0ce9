// SPDX-License-Identifier: GPL-3.0-or-later
import { useCallback, useRef, useSyncExternalStore } from "react";

import {
  connectionKey,
  NOT_CONNECTED,
  peekConnection,
  takeConnection,
  type ConnectionOptions,
  type ConnectionSnapshot,
} from "./connection.js";
import type { CallAck, CallName, CallPayload } from "./protocol.js";

export interface UseSocketResult extends ConnectionSnapshot {
  /** Asks Confab, by whatever way there is, and resolves to its ack. */
  call<N extends CallName>(name: N, payload: CallPayload<N>): Promise<CallAck<N>>;
}

/**
 * The connection to a Confab. Components that name the same one share it; it is made with the first
 * and closed with the last of them.
 */
export function useSocket(options: ConnectionOptions = {}): UseSocketResult {
  const key = connectionKey(options);
  const latest = useRef(options);
  latest.current = options;

  const subscribe = useCallback(
    (listener: () => void) => {
      const { connection, release } = takeConnection(latest.current);
      const unsubscribe = connection.subscribe(listener);
      return () => {
        unsubscribe();
        release();
      };
    },
    [key],
  );
  const getSnapshot = useCallback(
    () => peekConnection(key)?.getSnapshot() ?? NOT_CONNECTED,
    [key],
  );
  const snapshot = useSyncExternalStore(subscribe, getSnapshot, () => NOT_CONNECTED);

  const call = useCallback(
    async <N extends CallName>(name: N, payload: CallPayload<N>): Promise<CallAck<N>> => {
      const { connection, release } = takeConnection(latest.current);
      try {
        return await connection.call(name, payload);
      } finally {
        release();
      }
    },
    [key],
  );

  return { ...snapshot, call };
}
