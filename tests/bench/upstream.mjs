// SPDX-License-Identifier: GPL-3.0-or-later
// The model server of the bench, as cheap as can be: a stream of Chat Completions whose pace the
// question asks for. "paced RATE COUNT": COUNT tokens, RATE of them a second, the first at once;
// "burst COUNT": as fast as they are taken, a few in one segment, as a fast server sends them.
// Each token tells the time of its birth. Prints the port it listens on.
import { createServer } from 'node:net';

import { makeToken } from './lib/token.mjs';

const TOKENS_A_TURN = 8;

const ANSWER_HEAD = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n'
  + 'Transfer-Encoding: chunked\r\n\r\n';
const MODELS = '{"object":"list","data":[{"id":"bench","object":"model"}]}';

const chunk = (text) => `${text.length.toString(16)}\r\n${text}\r\n`;
const event = (delta, finish) => chunk('data: {"id":"c","object":"chat.completion.chunk",'
  + `"created":1,"model":"bench","choices":[{"index":0,"delta":${delta},`
  + `"finish_reason":${finish}}]}\n\n`);
const tokenEvent = () => event(`{"content":"${makeToken()}"}`, 'null');
const LAST = `${event('{}', '"stop"')}${chunk('data: [DONE]\n\n')}0\r\n\r\n`;

function sendPaced(socket, rate, count) {
  const begin = performance.now();
  let sent = 0;
  const tick = () => {
    if (socket.destroyed)
      return;
    socket.write(sent === 0 ? ANSWER_HEAD + tokenEvent() : tokenEvent());
    sent += 1;
    if (sent === count)
      socket.write(LAST);
    else
      setTimeout(tick, Math.max(0, begin + (sent * 1000) / rate - performance.now()));
  };
  tick();
}

function sendBurst(socket, count) {
  let left = count;
  const turn = () => {
    if (socket.destroyed)
      return;
    const size = Math.min(left, TOKENS_A_TURN);
    left -= size;
    let text = '';
    for (let i = 0; i < size; i += 1)
      text += tokenEvent();
    const taken = socket.write(left === 0 ? text + LAST : text);
    if (left > 0 && taken)
      setImmediate(turn);
    else if (left > 0)
      socket.once('drain', turn);
  };
  socket.write(ANSWER_HEAD);
  turn();
}

function answer(socket, head, body) {
  if (head.startsWith('GET')) {
    socket.write('HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n'
      + `Content-Length: ${MODELS.length}\r\n\r\n${MODELS}`);
    return;
  }
  const { messages } = JSON.parse(body);
  const [kind, ...numbers] = messages.at(-1).content.split(' ');
  if (kind === 'paced')
    sendPaced(socket, Number(numbers[0]), Number(numbers[1]));
  else
    sendBurst(socket, Number(numbers[0]));
}

const server = createServer({ noDelay: true }, (socket) => {
  let text = '';
  socket.setEncoding('utf8');
  socket.on('error', () => {});
  socket.on('data', (piece) => {
    text += piece;
    const end = text.indexOf('\r\n\r\n');
    const length = Number(/content-length: *(\d+)/i.exec(text.slice(0, end + 2))?.[1] ?? 0);
    /* what is asked here is ASCII: characters are bytes */
    if (end < 0 || text.length < end + 4 + length)
      return;
    const body = text.slice(end + 4, end + 4 + length);
    const head = text.slice(0, end);
    text = text.slice(end + 4 + length);
    answer(socket, head, body);
  });
});

server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => {
  console.log(`Listening on http://127.0.0.1:${server.address().port}/`);
});
process.on('SIGTERM', () => process.exit(0));
