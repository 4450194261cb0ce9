// SPDX-License-Identifier: GPL-3.0-or-later
// A Socket.IO client that only polls, as light as RawSocket, and used like one.
import { Agent, request } from 'node:http';

const SEPARATOR = '\x1e';
const EVENT_PREFIX = '42';
const PATH = '/api/socket/?EIO=4&transport=polling';

const agent = new Agent({ keepAlive: true, maxSockets: Infinity });

function fetchText(port, path, body) {
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: '127.0.0.1', port, path, agent,
      method: body === undefined ? 'GET' : 'POST',
      headers: body === undefined ? {} : { 'Content-Type': 'text/plain;charset=UTF-8' } },
    (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece) => { text += piece; });
      response.on('end', () => (response.statusCode === 200 ? resolve(text)
        : reject(new Error(`${response.statusCode}: ${text}`))));
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

export class PollingSocket {
  #port;
  #path;
  #closed = false;
  /* one POST at a time, as the protocol has it */
  #posting = Promise.resolve();
  #settle;

  onEvent = () => {};
  onEnd = () => {};

  constructor(port) {
    this.#port = port;
    this.opened = new Promise((resolve, reject) => { this.#settle = { resolve, reject }; });
    this.#run().catch((error) => {
      this.#settle.reject(error);
      if (!this.#closed)
        this.onEnd();
    });
  }

  emit(event, payload) {
    this.#post(EVENT_PREFIX + JSON.stringify([event, payload]));
  }

  destroy() {
    this.#closed = true;
  }

  #post(packet) {
    this.#posting = this.#posting.then(() => fetchText(this.#port, this.#path, packet))
      .catch(() => this.onEnd());
  }

  async #run() {
    const open = await fetchText(this.#port, PATH);
    this.#path = `${PATH}&sid=${JSON.parse(open.split(SEPARATOR)[0].slice(1)).sid}`;
    this.#post('40');
    while (!this.#closed) {
      const text = await fetchText(this.#port, this.#path);
      for (const packet of text.split(SEPARATOR))
        this.#take(packet);
    }
  }

  #take(packet) {
    if (packet.startsWith(EVENT_PREFIX))
      this.onEvent(packet.slice(EVENT_PREFIX.length));
    else if (packet.startsWith('40'))
      this.#settle.resolve(this);
    else if (packet.startsWith('44'))
      this.#settle.reject(new Error(`refused: ${packet}`));
    else if (packet === '2')
      this.#post('3');
  }
}
