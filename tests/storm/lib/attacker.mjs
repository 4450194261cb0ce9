// SPDX-License-Identifier: GPL-3.0-or-later
// One who connects by hand, sends as fast as it is taken, and counts what comes back.
import { once } from 'node:events';
import { connect } from 'node:net';

import { sleep } from '../../integration/lib/process.mjs';
import { formatFrame, formatRequest, formatUpgrade } from '../../integration/lib/wire.mjs';

const PATH = '/api/socket/';
const BATCH = 200;
/* ms; even a busy server reads on sooner, if it wants more */
const PATIENCE = 3000;

export const upgradeRequest = (query = 'EIO=4&transport=websocket') =>
  formatUpgrade({ path: PATH }, query);

export const request = (path, rest = {}) => formatRequest({ path, ...rest });

export class Attacker {
  bytes = 0;
  text = '';
  closed = false;
  /* of what comes, only so much is kept */
  #keep;

  constructor(port, { keep = 4096, ...options } = {}) {
    this.#keep = keep;
    this.socket = connect({ host: '127.0.0.1', port, noDelay: true, ...options });
    this.socket.on('data', (data) => {
      this.bytes += data.length;
      if (this.text.length < this.#keep)
        this.text += data.toString('latin1').slice(0, this.#keep - this.text.length);
      this.onData?.(data);
    });
    this.socket.on('error', () => {});
    this.gone = new Promise((resolve) => {
      this.socket.on('close', () => { this.closed = true; resolve(); });
      // answered, and the server waits for our end
      this.socket.on('end', () => this.socket.destroy());
    });
  }

  /** Opens a connection that is past CONNECT. */
  static async open(t, port, options) {
    const self = new Attacker(port, options);
    t.after(() => self.socket.destroy());
    self.socket.write(upgradeRequest());
    await self.until(/^HTTP\/1\.1 101/, 'the upgrade');
    self.socket.write(formatFrame('40'));
    await self.until(/40\{"sid"/, 'CONNECT');
    return self;
  }

  async until(pattern, what) {
    while (!pattern.test(this.text)) {
      if (this.closed)
        throw new Error(`closed instead of ${what}: ${this.text}`);
      await Promise.race([once(this.socket, 'data'), this.gone]);
    }
  }

  /* Whether the peer reads on, or has had enough. */
  async #drains() {
    const patience = new AbortController();
    const drained = once(this.socket, 'drain', { signal: patience.signal })
      .then(() => true, () => false);
    const result = await Promise.race([drained, this.gone.then(() => false),
      sleep(PATIENCE).then(() => false)]);
    patience.abort();
    return result;
  }

  get status() {
    return Number(/^HTTP\/1\.1 (\d{3})/.exec(this.text)?.[1] ?? 0);
  }

  /** Sends what `make(i)` gives for each i, waiting where the peer does not read. Returns how many
   * were sent before the peer had enough. */
  async flood(count, make) {
    for (let i = 0; i < count; i += BATCH) {
      if (this.closed)
        return i;
      const batch = [];
      for (let k = i; k < Math.min(i + BATCH, count); k += 1)
        batch.push(make(k));
      if (this.socket.write(Buffer.concat(batch)))
        await new Promise((resolve) => { setImmediate(resolve); });
      else if (!await this.#drains())
        return i;
    }
    return count;
  }
}

export const text = (packet, options) => formatFrame(packet, options);

/** Counts how often a text comes, wherever reads part it. */
export function counter(needle) {
  let rest = '';
  const count = (data) => {
    const all = rest + data.toString('latin1');
    count.n += all.split(needle).length - 1;
    rest = all.slice(-(needle.length - 1));
  };
  count.n = 0;
  return count;
}
