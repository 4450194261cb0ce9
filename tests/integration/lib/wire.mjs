// SPDX-License-Identifier: GPL-3.0-or-later
// HTTP and WebSocket by hand, for what stock clients would never send.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';

import WebSocket from 'ws';

import { sleep, waitFor } from './process.mjs';

export const SEPARATOR = '\x1e';

/** A TCP connection that keeps all that it receives. */
export class Raw {
  received = Buffer.alloc(0);
  hasEnded = false;
  hasClosed = false;

  constructor(port, options = {}) {
    this.socket = connect({ port, host: '127.0.0.1', ...options });
    this.socket.on('data', (data) => { this.received = Buffer.concat([this.received, data]); });
    this.socket.on('error', (error) => { this.error = error; });
    this.ended = new Promise((resolve) => {
      this.socket.on('end', () => { this.hasEnded = true; resolve(); });
      this.socket.on('close', () => { this.hasClosed = true; resolve(); });
    });
  }

  static async open(t, port, options) {
    const raw = new Raw(port, options);
    t.after(() => raw.socket.destroy());
    await once(raw.socket, 'connect');
    raw.socket.setNoDelay(true);
    return raw;
  }

  get text() {
    return this.received.toString('latin1');
  }

  write(data) {
    this.socket.write(data);
  }

  /** Waits until a pattern matches what came. */
  waitForText(pattern, timeout = 5000) {
    return waitFor(() => pattern.exec(this.text),
      { timeout, what: `${pattern} in ${JSON.stringify(this.text.slice(0, 400))}` });
  }

  /** Waits until the server has closed its side. */
  waitForEnd(timeout = 5000) {
    return waitFor(() => this.hasEnded || this.hasClosed, { timeout, what: 'the end' });
  }
}

/** The text of a request; `path` with its query. */
export function formatRequest({ method = 'GET', path, headers = {}, body }) {
  const lines = [`${method} ${path} HTTP/1.1`, 'Host: localhost'];
  if (body !== undefined && headers['Transfer-Encoding'] === undefined)
    lines.push(`Content-Length: ${Buffer.byteLength(body)}`);
  for (const [name, value] of Object.entries(headers))
    lines.push(`${name}: ${value}`);
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), Buffer.from(body ?? '')]);
}

/** A body in chunks of at most `size` bytes. */
export function chunked(body, size = 4096) {
  const data = Buffer.from(body);
  const parts = [];
  for (let at = 0; at < data.length; at += size) {
    const part = data.subarray(at, at + size);
    parts.push(Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from('\r\n'));
  }
  return Buffer.concat([...parts, Buffer.from('0\r\n\r\n')]);
}

/** The response in what a connection received, if all of it is there. */
export function parseResponse(data) {
  const at = data.indexOf('\r\n\r\n');
  if (at < 0)
    return null;
  const [first, ...lines] = data.subarray(0, at).toString('latin1').split('\r\n');
  const headers = {};
  for (const line of lines) {
    const [, name, value] = /^([^:]+):\s*(.*)$/.exec(line);
    assert.ok(!(name.toLowerCase() in headers), `${name} is repeated`);
    headers[name.toLowerCase()] = value;
  }
  const body = data.subarray(at + 4);
  const length = headers['content-length'];
  if (length !== undefined && body.length < Number(length))
    return null;
  return { status: Number(/^HTTP\/1\.1 (\d{3}) /.exec(first)[1]), headers, body,
    text: body.toString('utf8') };
}

/**
 * Sends one request on a connection of its own and waits for the answer, and until the server has
 * closed the connection, which it must have said that it would.
 *
 * @returns {Promise<{status: number, headers: object, body: Buffer, text: string}>}
 */
export async function fetchRaw(echo, request, { timeout = 10000 } = {}) {
  const raw = new Raw(echo.port);
  try {
    raw.write(formatRequest(request));
    await waitFor(() => raw.hasEnded || raw.hasClosed, { timeout, interval: 2,
      what: `an answer to ${request.method ?? 'GET'} ${request.path}, and its end` });
    const response = parseResponse(raw.received);
    assert.ok(response, `no whole answer (${raw.error}): ${raw.text.slice(0, 400)}`);
    assert.equal(response.headers.connection, 'close');
    return response;
  } finally {
    raw.socket.destroy();
  }
}

/** A session over polling, step by step. */
export class Polling {
  constructor(echo, protocol) {
    this.echo = echo;
    this.protocol = protocol;
  }

  /** Opens a session; `open` is what the server told, `extra` the packets that came with it. */
  static async open(echo, { protocol = 4, query = '' } = {}) {
    const self = new Polling(echo, protocol);
    const { status, text, headers } = await fetchRaw(echo,
      { path: `${echo.path}?EIO=${protocol}&transport=polling${query}` });
    assert.equal(status, 200, text);
    self.headers = headers;
    const packet = protocol === 4 ? text : /^\d+:(.*)$/s.exec(text)[1];
    const [open, ...extra] = packet.split(SEPARATOR);
    assert.equal(open[0], '0');
    self.open = JSON.parse(protocol === 4 ? open.slice(1) : /^0(\{.*?\})/.exec(open)[1]);
    self.extra = extra;
    self.sid = self.open.sid;
    return self;
  }

  get path() {
    return `${this.echo.path}?EIO=${this.protocol}&transport=polling&sid=${this.sid}`;
  }

  poll(options) {
    return fetchRaw(this.echo, { path: this.path }, options);
  }

  /** Polls on a connection that the caller holds. */
  async startPoll(t) {
    const raw = await Raw.open(t, this.echo.port);
    raw.write(formatRequest({ path: this.path }));
    return raw;
  }

  /** Waits until the server has what was sent before: it has answered another request since. */
  async settle() {
    await sleep(20);
    assert.ok(await this.isKnown());
  }

  post(body, headers = { 'Content-Type': 'text/plain;charset=UTF-8' }) {
    return fetchRaw(this.echo, { method: 'POST', path: this.path, headers, body });
  }

  /** Sends it and expects the server to take it. */
  async send(body, headers) {
    const { status, text } = await this.post(body, headers);
    assert.deepEqual({ status, text }, { status: 200, text: 'ok' });
  }

  /** Polls and returns the packets, of which there must be `count`, after noops. */
  async receive(count = 1) {
    const packets = [];
    while (packets.length < count) {
      const { status, text } = await this.poll();
      assert.equal(status, 200, text);
      packets.push(...text.split(SEPARATOR).filter((packet) => packet !== '6'));
    }
    assert.equal(packets.length, count, JSON.stringify(packets));
    return packets;
  }

  /** Whether the server still knows it: looks without touching it. */
  async isKnown() {
    const { status, text } = await fetchRaw(this.echo, { method: 'PUT', path: this.path });
    assert.equal(status, 400);
    return JSON.parse(text).code !== 1;
  }

  async assertAlive() {
    await this.send('4alive?');
    assert.deepEqual(await this.receive(), ['4alive?']);
  }

  async assertGone() {
    const { status, text } = await this.poll();
    assert.deepEqual({ status, text },
      { status: 400, text: '{"code":1,"message":"Session ID unknown"}' });
  }
}

/* Milliseconds by which the clocks of two processes may seem to differ. */
const CLOCK_SLACK = 20;

/** A WebSocket whose messages can be awaited one by one. */
export class Wire {
  messages = [];
  #read = 0;
  /* when the server's wait for its next ping began, at the earliest; null: it does not ping, or
   * the handshake is not known */
  #waitsSince = null;

  constructor(url, options) {
    this.socket = new WebSocket(url, { perMessageDeflate: false, ...options });
    this.socket.on('message', (data, isBinary) => {
      this.messages.push(isBinary ? data : data.toString('utf8'));
    });
    this.closed = new Promise((resolve) => {
      this.socket.on('close', (code, reason) => {
        this.hasClosed = true;
        resolve({ code, reason: reason.toString() });
      });
    });
    this.socket.on('error', (error) => { this.error = error; });
  }

  /** Opens the URL's rest after the path, such as `EIO=4&transport=websocket`. */
  static async open(t, echo, query = 'EIO=4&transport=websocket', options = {}) {
    const wire = new Wire(`ws://127.0.0.1:${echo.port}${echo.path}?${query}`, options);
    t.after(() => wire.socket.terminate());
    await Promise.race([once(wire.socket, 'open'), wire.closed]);
    if (wire.hasClosed)
      throw wire.error;
    return wire;
  }

  /** The same, and takes the handshake into `open`. */
  static async connect(t, echo, query, options) {
    const asked = performance.now();
    const wire = await Wire.open(t, echo, query, options);
    const first = await wire.next();
    assert.equal(first[0], '0');
    wire.open = JSON.parse(first.slice(1));
    if (/[?&]EIO=4(&|$)/.test(wire.socket.url))
      wire.#waitsSince = asked;
    return wire;
  }

  /** Asks to take over a session. */
  static upgrade(t, session, options) {
    return Wire.open(t, session.echo,
      `EIO=${session.protocol}&transport=websocket&sid=${session.sid}`, options);
  }

  send(data, options) {
    if (data === '3' && this.#waitsSince !== null)
      this.#waitsSince = performance.now();
    this.socket.send(data, options);
  }

  /** The next message, in order. */
  async next(timeout = 5000) {
    await waitFor(() => this.messages.length > this.#read || this.hasClosed,
      { timeout, interval: 2, what: 'a message' });
    assert.ok(this.messages.length > this.#read, 'it was closed instead');
    return this.messages[this.#read++];
  }

  /** Waits for the end: `{code, reason}`. */
  async waitForClose(timeout = 5000) {
    await waitFor(() => this.hasClosed, { timeout, interval: 2, what: 'the close' });
    return this.closed;
  }

  /** Sends it and expects it back, at once but for pings that are due, which are answered. */
  async assertEchoes(text = 'alive?') {
    this.send(`4${text}`);
    let message = await this.next();
    while (message === '2' && this.#isPingDue()) {
      this.send('3');
      message = await this.next();
    }
    assert.equal(message, `4${text}`);
  }

  #isPingDue() {
    return this.#waitsSince !== null &&
      performance.now() - this.#waitsSince >= this.open.pingInterval - CLOCK_SLACK;
  }
}

/** The request of a WebSocket by hand. */
export function formatUpgrade(echo, query, headers = {}) {
  return formatRequest({
    path: `${echo.path}?${query}`,
    headers: {
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
      ...headers,
    },
  });
}

/** One masked frame of a client (RFC 6455, 5.2) of less than 64 KiB. */
export function formatFrame(payload, { opcode = 1, fin = true, rsv = 0, masked = true } = {}) {
  const data = Buffer.from(payload);
  const mask = Buffer.from([1, 2, 3, 4]);
  const bit = masked ? 0x80 : 0;
  const first = (fin ? 0x80 : 0) | (rsv << 4) | opcode;
  const head = data.length < 126 ? [first, bit | data.length]
    : [first, bit | 126, data.length >> 8, data.length & 0xff];
  return Buffer.concat([Buffer.from(head), masked ? mask : Buffer.alloc(0),
    masked ? data.map((byte, index) => byte ^ mask[index % 4]) : data]);
}
