// SPDX-License-Identifier: GPL-3.0-or-later
// idle.mjs PORT COUNT: holds COUNT idle Socket.IO connections. Prints "opened COUNT in MS ms", then
// "lost N" for each second in which connections ended. A line on standard input makes all leave.
import { createInterface } from 'node:readline';

import { openSockets } from './lib/raw-socket.mjs';

const port = Number(process.argv[2]);
const count = Number(process.argv[3]);

let lost = 0;
const begin = performance.now();
const sockets = await openSockets(port, count);
for (const socket of sockets)
  socket.onEnd = () => { lost += 1; };
console.log(`opened ${sockets.length} in ${Math.round(performance.now() - begin)} ms`);

const watch = setInterval(() => {
  if (lost > 0)
    console.log(`lost ${lost}`);
  lost = 0;
}, 1000);

createInterface({ input: process.stdin }).once('line', () => {
  clearInterval(watch);
  for (const socket of sockets)
    socket.destroy();
  process.exit(0);
});
