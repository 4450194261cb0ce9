// SPDX-License-Identifier: GPL-3.0-or-later
// streams.mjs PORT SPEC: clients that ask and listen, SPEC is JSON:
//   clients: how many sockets ask; streams: how many questions each asks, one after another, each
//   in a module of its own, or with oneModule all in one; message: the question; followers: how
//   many sockets more follow the first client's module; modules: how their names begin, another
//   for each load while answers of the one before may go on; kind: "websocket", "tls" or "polling".
// Prints "ready" when all are connected. Then each line on standard input is a command:
//   go     asks
//   count  prints, as JSON, what has come since the last count: tokens, frames, and the times from
//          birth to arrival in ms (p50, p99, max), and those to the first token (ttft50, ttft99)
//   wait   prints "done" when all answers have ended
import { createInterface } from 'node:readline';

import { openSockets } from './lib/raw-socket.mjs';
import { percentile } from './lib/statistics.mjs';
import { TOKEN_LENGTH, now, readToken } from './lib/token.mjs';

const port = Number(process.argv[2]);
const { clients, streams = 1, message, followers = 0, oneModule = false, modules = 'bench',
  kind = 'websocket' } = JSON.parse(process.argv[3]);

/* Events are told apart, and tokens found, without parsing JSON: followers get many. */
const CHUNK_EVENT = '["ai:chat:chunk"';
const END_EVENTS = ['["ai:chat:complete"', '["ai:chat:error"'];
const TEXT_MEMBER = '"chunk":"';

let counted;
const allDone = {};
allDone.promise = new Promise((resolve) => { allDone.resolve = resolve; });
let running = clients * streams;

function reset() {
  counted = { tokens: 0, frames: 0, delays: [], ttfts: [] };
}

function count(text, arrived) {
  const from = text.indexOf(TEXT_MEMBER) + TEXT_MEMBER.length;
  const to = text.indexOf('"', from);
  counted.frames += 1;
  for (let i = from; i < to; i += TOKEN_LENGTH) {
    counted.tokens += 1;
    counted.delays.push((arrived - readToken(text, i)) / 1000);
  }
}

/** One question after another. */
function ask(socket, index) {
  let asked = 0;
  let askedAt = 0;
  let first = true;
  const next = () => {
    first = true;
    askedAt = now();
    const moduleId = oneModule ? `${modules}-${index + 1}` : `${modules}-${index}-${asked}`;
    socket.emit('ai:chat:generate', { moduleId, message });
    asked += 1;
  };
  socket.onEvent = (text) => {
    if (text.startsWith(CHUNK_EVENT)) {
      const arrived = now();
      if (first)
        counted.ttfts.push((arrived - askedAt) / 1000);
      first = false;
      count(text, arrived);
    } else if (END_EVENTS.some((name) => text.startsWith(name))) {
      if (text.startsWith(END_EVENTS[1]))
        throw new Error(text);
      running -= 1;
      if (running === 0)
        allDone.resolve();
      if (asked < streams)
        next();
    }
  };
  next();
}

const sockets = await openSockets(port, clients + followers, { kind });
const askers = sockets.slice(0, clients);
for (const socket of sockets)
  socket.onEnd = (error) => { throw error ?? new Error('the server closed a connection'); };
for (const socket of sockets.slice(clients)) {
  socket.emit('ai:chat:resume', { moduleId: `${modules}-0-0` });
  socket.onEvent = (text) => {
    if (text.startsWith(CHUNK_EVENT))
      count(text, now());
  };
}
reset();
console.log('ready');

const commands = {
  go: () => askers.forEach(ask),
  count: () => {
    const { tokens, frames, delays, ttfts } = counted;
    reset();
    console.log(JSON.stringify({
      tokens, frames, p50: percentile(delays, 50), p99: percentile(delays, 99),
      max: percentile(delays, 100), ttft50: percentile(ttfts, 50), ttft99: percentile(ttfts, 99),
    }));
  },
  wait: () => allDone.promise.then(() => console.log('done')),
};
const input = createInterface({ input: process.stdin });
input.on('line', (line) => commands[line]());
input.on('close', () => process.exit(0));
