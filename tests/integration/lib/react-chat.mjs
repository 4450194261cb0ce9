// SPDX-License-Identifier: GPL-3.0-or-later
// The AI SDK's useChat as an app has it: in React, in a document, talking to confabd.
import { JSDOM } from 'jsdom';

import { waitFor } from './process.mjs';

const { window } = new JSDOM('<!DOCTYPE html><div id="root"></div>', {
  url: 'http://localhost/', pretendToBeVisual: true,
});

/* React looks for these when it is loaded */
globalThis.window = window;
globalThis.document = window.document;
Object.defineProperty(globalThis, 'navigator', { value: window.navigator, configurable: true });
globalThis.IS_REACT_ACT_ENVIRONMENT = false;

const { createElement } = await import('react');
const { createRoot } = await import('react-dom/client');

const ai6 = await import('ai');
const react3 = await import('@ai-sdk/react');
const ai5 = await import('ai-5');
const react2 = await import('ai-sdk-react-2');

/** The versions that apps use: of `ai`, and of the hook that goes with it. */
export const SDKS = {
  'AI SDK 6': { useChat: react3.useChat, DefaultChatTransport: ai6.DefaultChatTransport },
  'AI SDK 5': { useChat: react2.useChat, DefaultChatTransport: ai5.DefaultChatTransport },
};

export const textOf = (message) => message.parts.filter(({ type }) => type === 'text')
  .map(({ text }) => text).join('');
export const reasoningOf = (message) => message.parts.filter(({ type }) => type === 'reasoning')
  .map(({ text }) => text).join('');

/** A mounted component that does nothing but use the hook. */
class ReactChat {
  /** what the hook returned last */
  hook = null;
  /** how often the last message changed while it was streaming */
  steps = 0;
  errors = [];
  finishes = [];

  constructor(sdk, confabd, options) {
    const transport = new sdk.DefaultChatTransport({
      api: `${confabd.origin}/api/chat`,
      headers: confabd.token ? { Authorization: `Bearer ${confabd.token}` } : {},
      ...options.transport,
    });
    const Component = () => {
      this.hook = sdk.useChat({
        onError: (error) => this.errors.push(error),
        onFinish: (finish) => this.finishes.push(finish),
        ...options.chat,
        transport,
      });
      if (this.hook.status === 'streaming')
        this.steps += 1;
      return createElement('p', null, this.hook.messages.length);
    };
    const place = window.document.createElement('div');
    window.document.body.append(place);
    this.root = createRoot(place);
    this.root.render(createElement(Component));
  }

  get last() {
    return this.hook.messages.at(-1);
  }

  unmount() {
    this.root.unmount();
  }

  until(condition, what) {
    return waitFor(() => this.hook && condition(this), { timeout: 20000, what });
  }

  /** Waits until nothing is on its way any more. */
  settled() {
    return this.until(({ hook }) => ['ready', 'error'].includes(hook.status), 'useChat is ready');
  }
}

/** Mounts the hook; it goes with the test. */
export async function mountChat(t, sdk, confabd, options = {}) {
  const chat = new ReactChat(sdk, confabd, options);
  t.after(() => chat.unmount());
  await chat.until(() => true, 'the first render');
  return chat;
}
