// SPDX-License-Identifier: GPL-3.0-or-later
// A wire between one client and confabd that can be cut, at once or after some more bytes.
import { once } from 'node:events';
import { connect, createServer } from 'node:net';

export class Wire {
  #server;
  #pairs = new Set();
  #left = Infinity;
  #target;
  /** Called after a cut. */
  onCut = () => {};

  constructor(target) {
    this.#target = target;
    this.#server = createServer((client) => this.#join(client));
  }

  async start() {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    this.port = this.#server.address().port;
  }

  stop() {
    this.#server.close();
    this.cut();
  }

  /** Resets every connection. */
  cut() {
    this.#left = Infinity;
    for (const pair of this.#pairs)
      pair.forEach((socket) => socket.resetAndDestroy());
    this.#pairs.clear();
    this.onCut();
  }

  /** Cuts when so many bytes more have gone to the client. */
  cutAfter(bytes) {
    this.#left = bytes;
  }

  #join(client) {
    const server = connect(this.#target, '127.0.0.1');
    const pair = [client, server];
    this.#pairs.add(pair);
    for (const socket of pair) {
      socket.setNoDelay(true);
      socket.on('error', () => {});
      socket.on('close', () => {
        this.#pairs.delete(pair);
        pair.forEach((other) => other.destroy());
      });
    }
    client.on('data', (bytes) => server.write(bytes));
    client.on('end', () => server.end());
    server.on('end', () => client.end());
    server.on('data', (bytes) => {
      const some = bytes.subarray(0, this.#left);
      client.write(some);
      if (bytes.length < this.#left) {
        this.#left -= bytes.length;
        return;
      }
      /* those last bytes still arrive */
      this.#left = Infinity;
      for (const others of this.#pairs)
        others.forEach((socket) => socket.pause());
      setImmediate(() => this.cut());
    });
  }
}
