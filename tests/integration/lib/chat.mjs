// SPDX-License-Identifier: GPL-3.0-or-later
// A client of confabd that keeps every event it hears, in order.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, get } from 'node:http';
import { connect as connectNet } from 'node:net';
import { join } from 'node:path';

import { io } from 'socket.io-client';

import { startConfabd } from './confabd.mjs';
import { makeDir, waitFor } from './process.mjs';
import { startRawUpstream } from './upstreams.mjs';

export const ACK_TIMEOUT = 5000;
/* Twenty answers of a real model at once take their time, beside other tests above all. */
const WAIT_TIMEOUT = 60000;

const EVENTS = ['started', 'chunk', 'reasoning', 'complete', 'error'];

export class Chat {
  /** `[{event, payload}]`, with the names of events without "ai:chat:" */
  log = [];

  constructor(socket) {
    this.socket = socket;
    for (const event of EVENTS)
      socket.on(`ai:chat:${event}`, (payload) => this.log.push({ event, payload }));
  }

  /** Payloads of one event, of one generation if that is given. */
  all(event, generationId) {
    return this.log.filter((entry) => entry.event === event
      && (generationId === undefined || entry.payload.generationId === generationId))
      .map(({ payload }) => payload);
  }

  call(event, payload) {
    return this.socket.timeout(ACK_TIMEOUT).emitWithAck(event, payload);
  }

  /** Generates and returns the ack, which must be an acceptance. */
  async generate(payload) {
    const ack = await this.call('ai:chat:generate', payload);
    assert.equal(ack.ok, true, JSON.stringify(ack));
    return ack;
  }

  waitFor(condition, what) {
    return waitFor(() => condition(this), { timeout: WAIT_TIMEOUT, interval: 2, what });
  }

  /** Waits for the end of a generation: `{event, payload}`. */
  end(generationId) {
    return this.waitFor(() => this.log.find(({ event, payload }) =>
      ['complete', 'error'].includes(event) && payload.generationId === generationId),
    `the end of ${generationId}`);
  }

  /** Generates and waits for the end. */
  async ask(payload) {
    const ack = await this.generate(payload);
    const { event, payload: end } = await this.end(ack.generationId);
    return { ack, event, end };
  }
}

/** Connects a stock client; it is closed when the test ends. */
export function open(t, confabd, options = {}) {
  const socket = io(confabd.origin, {
    path: '/api/socket',
    auth: confabd.token ? { token: confabd.token } : undefined,
    forceNew: true,
    reconnection: false,
    ...options,
  });
  t.after(() => socket.close());
  return socket;
}

export async function connect(t, confabd, options) {
  const socket = open(t, confabd, options);
  const chat = new Chat(socket);
  await Promise.race([
    once(socket, 'connect'),
    once(socket, 'connect_error').then(([error]) => { throw error; }),
  ]);
  return chat;
}

/** A client on the UNIX socket, which the kernel buffers little of; its reading can be paused. */
export async function connectOverUnix(t, confabd, options = {}) {
  const agent = new Agent();
  agent.createConnection = () => connectNet(confabd.unixPath);
  const chat = await connect(t, confabd, { transports: ['websocket'], agent, ...options });
  const { _socket: wire } = chat.socket.io.engine.transport.ws;
  return { chat, pause: () => wire.pause(), resume: () => wire.resume() };
}

/** A confabd whose upstream is the raw one, with the fault of that name. */
export async function startWithRaw(t, behaviour, options = {}) {
  const upstream = await startRawUpstream(t);
  const confabd = await startConfabd(t, ['--provider', 'openai', '--base-url', upstream.baseUrl,
    '--model', `raw:${behaviour}`, ...(options.args ?? [])], options);
  return { upstream, confabd };
}

/** A confabd on the raw upstream whose data outlives it; a mortal one is for the test to end. */
export async function startDurable(t, behaviour, options = {}) {
  const dir = join(await makeDir(t), 'data');
  const upstream = await startRawUpstream(t);
  const args = ['--provider', 'openai', '--base-url', upstream.baseUrl, '--model',
    `raw:${behaviour}`, '--data-dir', dir];
  const confabd = await startConfabd(options.mortal ? null : t, args, options);
  return { upstream, confabd, dir, again: () => startConfabd(t, args, options) };
}

/** What the raw upstream has seen. */
export function statsOf(upstream) {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port: upstream.port, path: '/__stats', agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece) => { text += piece; });
      response.on('end', () => resolve(JSON.parse(text)));
    }).on('error', reject);
  });
}

/** Checks that the events of a generation are what the contract says, and returns its end. */
export function checkEvents(chat, ack) {
  const { generationId } = ack;
  const mine = chat.log.filter(({ payload }) => payload.generationId === generationId);
  const deltas = mine.filter(({ event }) => event === 'chunk' || event === 'reasoning');
  const ends = mine.filter(({ event }) => event === 'complete' || event === 'error');

  assert.equal(mine[0].event, 'started');
  assert.equal(mine.filter(({ event }) => event === 'started').length, 1);
  assert.equal(ends.length, 1, 'one end');
  assert.equal(mine.at(-1), ends[0], 'nothing after the end');
  assert.deepEqual(deltas.map(({ payload }) => payload.seq), deltas.map((_, i) => i + 1));
  const joined = chat.all('chunk', generationId).map(({ chunk }) => chunk).join('');
  assert.equal(ends[0].payload.message ?? '', joined);
  return ends[0];
}
