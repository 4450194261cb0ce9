// SPDX-License-Identifier: GPL-3.0-or-later
// load.mjs PORT COUNT: holds COUNT idle Socket.IO connections over WebSocket, as light as can be:
// it connects, answers pings, and stays. Prints "opened COUNT in MS ms", then "lost N" for each
// second in which connections ended. A line on standard input makes all of them leave.
import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';

const port = Number(process.argv[2]);
const count = Number(process.argv[3]);
const IN_FLIGHT = 100;
/* one local address has some 28,000 ports at best; eight are enough for any limit of files */
const LOCAL_ADDRESSES = 8;

const OPCODE_TEXT = 1;
const OPCODE_CLOSE = 8;
const OPCODE_PING = 9;
const OPCODE_PONG = 10;

function makeFrame(opcode, payload) {
  const body = Buffer.from(payload);
  const mask = randomBytes(4);
  for (let i = 0; i < body.length; i += 1)
    body[i] ^= mask[i % 4];
  return Buffer.concat([Buffer.from([0x80 | opcode, 0x80 | body.length]), mask, body]);
}

const CONNECT_FRAME = makeFrame(OPCODE_TEXT, '40');
const PONG_FRAME = makeFrame(OPCODE_TEXT, '3');

/* Takes one frame off the front: [opcode, payload, rest], or null while it is not complete. */
function takeFrame(buffer) {
  if (buffer.length < 2)
    return null;
  const short = buffer[1] & 0x7f;
  if (short === 127)
    throw new Error('a frame of this size was not expected');
  const header = short === 126 ? 4 : 2;
  if (buffer.length < header)
    return null;
  const length = short === 126 ? buffer.readUInt16BE(2) : short;
  if (buffer.length < header + length)
    return null;
  return [buffer[0] & 0x0f, buffer.subarray(header, header + length),
    buffer.subarray(header + length)];
}

/* One connection; resolves when the server has answered CONNECT. */
function open(index, onEnd) {
  return new Promise((resolve, reject) => {
    const localAddress = `127.0.0.${2 + (index % LOCAL_ADDRESSES)}`;
    const socket = connect({ host: '127.0.0.1', port, localAddress, noDelay: true });
    let pending = null;
    let upgraded = false;

    const onPacket = (text) => {
      if (text.startsWith('0'))
        socket.write(CONNECT_FRAME);
      else if (text.startsWith('40'))
        resolve(socket);
      else if (text.startsWith('44'))
        reject(new Error(`refused: ${text}`));
      else if (text === '2')
        socket.write(PONG_FRAME);
    };
    const onFrame = (opcode, payload) => {
      if (opcode === OPCODE_TEXT)
        onPacket(payload.toString());
      else if (opcode === OPCODE_PING)
        socket.write(makeFrame(OPCODE_PONG, payload));
      else if (opcode === OPCODE_CLOSE)
        socket.end();
    };
    const takeHead = () => {
      const end = pending.indexOf('\r\n\r\n');
      if (end < 0)
        return false;
      const status = pending.subarray(0, 12).toString();
      if (status !== 'HTTP/1.1 101')
        throw new Error(`no upgrade: ${status}`);
      upgraded = true;
      pending = pending.subarray(end + 4);
      return true;
    };

    socket.write('GET /api/socket/?EIO=4&transport=websocket HTTP/1.1\r\n'
      + `Host: 127.0.0.1:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n`
      + `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString('base64')}`
      + '\r\n\r\n');
    socket.on('data', (data) => {
      pending = pending ? Buffer.concat([pending, data]) : data;
      try {
        if (!upgraded && !takeHead())
          return;
        for (let frame = takeFrame(pending); frame; frame = takeFrame(pending)) {
          pending = frame[2];
          onFrame(frame[0], frame[1]);
        }
      } catch (error) {
        socket.destroy(error);
      }
      if (pending.length === 0)
        pending = null;
    });
    socket.on('error', reject);
    socket.on('close', () => {
      reject(new Error('closed by the server'));
      onEnd();
    });
  });
}

let lost = 0;
const sockets = [];
const begin = performance.now();
let next = 0;

async function openSome() {
  while (next < count) {
    next += 1;
    sockets.push(await open(next, () => { lost += 1; }));
  }
}

await Promise.all(Array.from({ length: Math.min(IN_FLIGHT, count) }, openSome));
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
