// SPDX-License-Identifier: GPL-3.0-or-later
// A model server whose streams all turn bad at one moment, and well again at another.
import { once } from 'node:events';
import { createServer } from 'node:http';

const chunk = (content, finishReason = null) => `data: ${JSON.stringify({ id: 'c', model: 'storm',
  object: 'chat.completion.chunk',
  choices: [{ index: 0, delta: content === null ? {} : { content }, finish_reason: finishReason }],
})}\n\n`;

export class ModelServer {
  /** 'well', 'stall', 'reset' or 'refuse' */
  mode = 'well';
  words = 10;
  /* ms between two words: hundreds of streams are more than this program can feed at once */
  pause = 20;
  requests = 0;
  #keys = [];
  #open = new Set();
  #server;

  static async start(t) {
    const self = new ModelServer();
    self.#server = createServer((request, response) => {
      request.resume().on('end', () => self.#answer(request, response));
    });
    self.#server.listen(0, '127.0.0.1', 4096);
    await once(self.#server, 'listening');
    t?.after(() => self.close());
    return self;
  }

  get baseUrl() {
    return `http://127.0.0.1:${this.#server.address().port}/v1`;
  }

  get open() {
    return this.#open.size;
  }

  /** How many questions came with this key. */
  countKey(key) {
    return this.#keys.filter((each) => each === `Bearer ${key}`).length;
  }

  close() {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  /** Turns all that is running at once, and what comes from now on. */
  turn(mode) {
    this.mode = mode;
    if (mode === 'reset')
      this.#open.forEach((response) => response.socket?.resetAndDestroy());
  }

  #answer(request, response) {
    if (request.method === 'GET') {
      response.end(JSON.stringify({ object: 'list', data: [{ id: 'storm' }] }));
      return;
    }
    this.requests += 1;
    this.#keys.push(request.headers.authorization);
    if (this.mode === 'refuse') {
      response.writeHead(429, { 'Content-Type': 'application/json', 'Retry-After': '60' });
      response.end('{"error":{"message":"Slow down","type":"rate_limit_error"}}');
      return;
    }
    if (this.mode === 'reset') {
      response.socket.resetAndDestroy();
      return;
    }
    response.writeHead(200, { 'Content-Type': 'text/event-stream' });
    response.flushHeaders();
    this.#open.add(response);
    response.on('error', () => {});
    response.on('close', () => this.#open.delete(response));
    this.#speak(response, 0);
  }

  #speak(response, i) {
    if (response.destroyed || !this.#open.has(response))
      return;
    if (this.mode === 'stall' && i > 0)
      return;
    if (i < this.words) {
      response.write(chunk(`word${i} `));
      setTimeout(() => this.#speak(response, i + 1), this.pause);
      return;
    }
    response.write(chunk(null, 'stop'));
    response.end('data: [DONE]\n\n');
  }
}
