// SPDX-License-Identifier: GPL-3.0-or-later
// A Socket.IO client over a bare WebSocket, as light as can be, so that what is measured is the
// server. It answers pings, and hands on each event as text, unparsed.
import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';

import { PollingSocket } from './polling-socket.mjs';

/* one local address has some 28,000 ports at best; eight are enough for any limit of files */
const LOCAL_ADDRESSES = 8;

const OPCODE_TEXT = 1;
const OPCODE_CLOSE = 8;
const OPCODE_PING = 9;
const OPCODE_PONG = 10;

const EVENT_PREFIX = '42';

function makeHead(opcode, length) {
  if (length < 126)
    return Buffer.from([0x80 | opcode, 0x80 | length]);
  if (length >= 65536)
    throw new Error('a message of this size is not sent here');
  return Buffer.from([0x80 | opcode, 0x80 | 126, length >> 8, length & 0xff]);
}

function makeFrame(opcode, payload) {
  const body = Buffer.from(payload);
  const mask = randomBytes(4);
  for (let i = 0; i < body.length; i += 1)
    body[i] ^= mask[i % 4];
  return Buffer.concat([makeHead(opcode, body.length), mask, body]);
}

const CONNECT_FRAME = makeFrame(OPCODE_TEXT, '40');
const PONG_FRAME = makeFrame(OPCODE_TEXT, '3');

/* The frame that begins at `start`: {opcode, from, to}, or null while it is not complete. */
function findFrame(buffer, start) {
  if (buffer.length < start + 2)
    return null;
  let length = buffer[start + 1] & 0x7f;
  let from = start + 2;
  if (length === 126) {
    if (buffer.length < start + 4)
      return null;
    length = buffer.readUInt16BE(start + 2);
    from = start + 4;
  } else if (length === 127) {
    if (buffer.length < start + 10)
      return null;
    length = Number(buffer.readBigUInt64BE(start + 2));
    from = start + 10;
  }
  const to = from + length;
  return buffer.length < to ? null : { opcode: buffer[start] & 0x0f, from, to };
}

export class RawSocket {
  #socket;
  #pending = null;
  #upgraded = false;
  #settle;
  #failure = null;

  /** Called with the text of an event's array, such as `["ai:chat:chunk",{…}]`. */
  onEvent = () => {};
  /** Called when the connection is gone, with what went wrong here, if something did. */
  onEnd = () => {};

  /** @param {number} index spreads connections over local addresses */
  constructor(port, index = 0, tls = false) {
    const localAddress = `127.0.0.${2 + (index % LOCAL_ADDRESSES)}`;
    const where = { host: '127.0.0.1', port, localAddress, noDelay: true };
    this.#socket = tls ? connectTls({ ...where, rejectUnauthorized: false }) : connect(where);
    /** Resolves when the server has answered CONNECT. */
    this.opened = new Promise((resolve, reject) => { this.#settle = { resolve, reject }; });
    this.#socket.write('GET /api/socket/?EIO=4&transport=websocket HTTP/1.1\r\n'
      + `Host: 127.0.0.1:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n`
      + `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString('base64')}`
      + '\r\n\r\n');
    this.#socket.on('data', (data) => {
      try {
        this.#take(data);
      } catch (error) {
        this.#socket.destroy(error);
      }
    });
    this.#socket.on('error', (error) => {
      this.#failure = error;
      this.#settle.reject(error);
    });
    this.#socket.on('close', () => {
      this.#settle.reject(new Error('closed by the server'));
      this.onEnd(this.#failure);
    });
  }

  /** Emits an event without asking for an ack. */
  emit(event, payload) {
    this.#socket.write(makeFrame(OPCODE_TEXT, EVENT_PREFIX + JSON.stringify([event, payload])));
  }

  destroy() {
    this.#socket.destroy();
  }

  #take(data) {
    let buffer = this.#pending ? Buffer.concat([this.#pending, data]) : data;
    this.#pending = null;
    if (!this.#upgraded) {
      const end = buffer.indexOf('\r\n\r\n');
      if (end < 0) {
        this.#pending = buffer;
        return;
      }
      const status = buffer.subarray(0, 12).toString();
      if (status !== 'HTTP/1.1 101')
        throw new Error(`no upgrade: ${status}`);
      this.#upgraded = true;
      buffer = buffer.subarray(end + 4);
    }

    let start = 0;
    for (let frame = findFrame(buffer, 0); frame; frame = findFrame(buffer, start)) {
      start = frame.to;
      this.#onFrame(frame.opcode, buffer.subarray(frame.from, frame.to));
    }
    if (start < buffer.length)
      this.#pending = buffer.subarray(start);
  }

  #onFrame(opcode, payload) {
    if (opcode === OPCODE_TEXT)
      this.#onPacket(payload.toString());
    else if (opcode === OPCODE_PING)
      this.#socket.write(makeFrame(OPCODE_PONG, payload));
    else if (opcode === OPCODE_CLOSE)
      this.#socket.end();
  }

  #onPacket(text) {
    if (text.startsWith(EVENT_PREFIX))
      this.onEvent(text.slice(EVENT_PREFIX.length));
    else if (text.startsWith('0'))
      this.#socket.write(CONNECT_FRAME);
    else if (text.startsWith('40'))
      this.#settle.resolve(this);
    else if (text.startsWith('44'))
      this.#settle.reject(new Error(`refused: ${text}`));
    else if (text === '2')
      this.#socket.write(PONG_FRAME);
  }
}

const kinds = {
  websocket: (port, index) => new RawSocket(port, index),
  tls: (port, index) => new RawSocket(port, index, true),
  polling: (port) => new PollingSocket(port),
};

/** Opens `count` sockets of a kind ("websocket", "tls" or "polling"), some at a time. */
export async function openSockets(port, count, { atATime = 100, kind = 'websocket' } = {}) {
  const sockets = [];
  let next = 0;
  const openSome = async () => {
    while (next < count) {
      next += 1;
      const socket = kinds[kind](port, next);
      sockets.push(await socket.opened);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atATime, count) }, openSome));
  return sockets;
}
