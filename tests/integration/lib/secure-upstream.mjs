// SPDX-License-Identifier: GPL-3.0-or-later
// A model server as those of the big providers are reached: over TLS, by a server that speaks
// HTTP/2 with all who can. It has OpenAI's API; what a question brings is the test's.
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createSecureServer } from 'node:http2';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';

import { startConfabd } from './confabd.mjs';

const pemPath = (name) =>
  fileURLToPath(new URL(`../../upstream/self-signed-${name}.pem`, import.meta.url));

/* where GnuTLS looks for the authorities that it trusts */
const TRUSTED = '/etc/ssl/certs/ca-certificates.crt';

/** One question and its answer. */
class Exchange {
  closed = false;

  constructor(request, response, question) {
    this.request = request;
    this.response = response;
    this.question = question;
    this.left = once(response, 'close').then(() => { this.closed = true; });
  }

  /** The text of the question. */
  get asked() {
    return this.question.messages.at(-1).content;
  }

  get socket() {
    return this.request.socket;
  }

  /** Sends one token; waits while the peer takes none. */
  async send(content, finish = null) {
    if (this.closed)
      return;
    if (!this.response.headersSent)
      this.response.setHeader('Content-Type', 'text/event-stream');
    const event = { object: 'chat.completion.chunk', model: this.question.model,
      choices: [{ index: 0, delta: { content }, finish_reason: finish }] };
    if (!this.response.write(`data: ${JSON.stringify(event)}\n\n`))
      await Promise.race([once(this.response, 'drain'), this.left]);
  }

  async finish() {
    await this.send('', 'stop');
    this.response.end('data: [DONE]\n\n');
  }
}

/**
 * @param {(exchange: Exchange) => Promise<void>} answer what a question brings
 * @returns {Promise<object>} `exchanges`, so far; `sockets`, that are open; `connections`: how many
 *   there were; `baseUrl`
 */
export async function startSecureUpstream(t, answer) {
  const [key, cert] = await Promise.all(['key', 'cert'].map((name) => readFile(pemPath(name))));
  const upstream = { exchanges: [], sockets: new Set(), connections: 0 };
  const server = createSecureServer({ key, cert, allowHTTP1: true }, async (request, response) => {
    const pieces = [];
    for await (const piece of request)
      pieces.push(piece);
    const exchange = new Exchange(request, response, JSON.parse(Buffer.concat(pieces)));
    upstream.exchanges.push(exchange);
    await answer(exchange);
  });
  server.on('secureConnection', (socket) => {
    upstream.connections += 1;
    upstream.sockets.add(socket);
    socket.on('close', () => upstream.sockets.delete(socket)).on('error', () => {});
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    upstream.sockets.forEach((socket) => socket.destroy());
    server.close();
  });
  return Object.assign(upstream, { baseUrl: `https://127.0.0.1:${server.address().port}/v1` });
}

/** One that takes connections, and says nothing at all on them; `sockets`: those that are open. */
export async function startMuteUpstream(t) {
  const sockets = new Set();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => {}).resume();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    sockets.forEach((socket) => socket.destroy());
    server.close();
  });
  return { sockets, baseUrl: `https://127.0.0.1:${server.address().port}/v1` };
}

/**
 * A confabd that asks this server with the key `key-of-the-test`, and takes its certificate for one
 * of a known authority.
 *
 * @param {{provider?: string}} options `provider`: more lines of its settings
 */
export function startTrusting(t, upstream, { provider = '' } = {}) {
  return startConfabd(t, ['--dev'], {
    prefix: ['unshare', '--map-root-user', '--mount', '/bin/sh', '-c',
      `mount --bind ${pemPath('cert')} ${TRUSTED} && exec "$@"`, 'sh'],
    config: '[confab]\nprovider=secure\n[providers/secure]\ntype=openai\nmodel=test\n'
      + `base-url=${upstream.baseUrl}\napi-key-env=TEST_KEY\n${provider}`,
    env: { TEST_KEY: 'key-of-the-test' },
  });
}
