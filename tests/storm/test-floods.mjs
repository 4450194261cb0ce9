// SPDX-License-Identifier: GPL-3.0-or-later
// Connections that are let in and then send as much as they can of everything that can be sent.
import assert from 'node:assert/strict';
import test from 'node:test';

import { sleep, waitFor } from '../integration/lib/process.mjs';
import { Attacker, counter, request, text } from './lib/attacker.mjs';
import { MIB, Storm, long } from './lib/storm.mjs';

/* of a server: not masked, with a code of two bytes, and maybe a reason */
const CLOSE_FRAME = /\x88[\x02-\x7d]\x03/;

const N = long ? 200000 : 4000;

/** Whoever was refused was told so, up to where it was cut off for not taking what it was told. */
function checkRefused({ sent, answered, closed }) {
  assert.ok(answered > (closed ? N / 100 : N / 4), `${answered} of ${sent} were refused`);
}

/** One connection that sends `count` packets; what `needle` counted comes back. */
async function flood(storm, count, make, needle = '"code":"rate-limited"') {
  const attacker = await Attacker.open(storm.t, storm.port);
  const seen = counter(needle);
  attacker.onData = seen;
  const sent = await attacker.flood(count, make);
  // what was answered has come when no more answers come
  let last = -1;
  while (last !== seen.n && !attacker.closed) {
    last = seen.n;
    await sleep(long ? 3000 : 300);
  }
  const closed = attacker.closed || CLOSE_FRAME.test(attacker.text);
  attacker.socket.destroy();
  return { sent, answered: seen.n, closed };
}

test('a flood of events', async (t) => {
  const storm = await Storm.start(t);
  const seen = await flood(storm, N, () => text('42["ai:chat:stop",{"moduleId":"unknown"}]'));
  checkRefused(seen);
  const { sent, answered } = seen;
  await storm.weather({ events: sent, refusals: answered });
});

test('a flood of events that ask for an answer', async (t) => {
  const storm = await Storm.start(t);
  const seen = await flood(storm, N, (i) => text(`42${i}["session:list",{"limit":200}]`));
  checkRefused(seen);
  const { sent, answered } = seen;
  await storm.weather({ calls: sent, refusals: answered });
});

test('a flood of events of made-up names', async (t) => {
  const storm = await Storm.start(t);
  const { sent, closed } = await flood(storm, N, (i) => text(`42["made-up-${i}",{}]`));
  assert.equal(closed, false, 'they are ignored');
  await storm.weather({ events: sent });
});

test('a flood of acks for what nobody asked', async (t) => {
  const storm = await Storm.start(t);
  const { sent } = await flood(storm, N, (i) => text(`43${i}[{"ok":true}]`));
  await storm.weather({ acks: sent });
});

test('a flood of modules to follow', async (t) => {
  const storm = await Storm.start(t);
  const seen = await flood(storm, N,
    (i) => text(`42["ai:chat:resume",{"moduleId":"module-${i}"}]`));
  checkRefused(seen);
  const { sent, answered } = seen;
  await storm.weather({ joins: sent, refusals: answered });
});

test('a flood of namespaces', async (t) => {
  const storm = await Storm.start(t);
  const { sent, answered } = await flood(storm, N, (i) => text(`40/namespace-${i},`),
    'Invalid namespace');
  await storm.weather({ namespaces: sent, refusals: answered });
});

test('a flood of going and coming on one connection', async (t) => {
  const storm = await Storm.start(t);
  const { sent, answered } = await flood(storm, N, (i) => text(i % 2 === 0 ? '41' : '40'),
    '40{"sid"');
  await storm.weather({ packets: sent, connects: answered });
});

test('a flood of pings of every kind', async (t) => {
  const storm = await Storm.start(t);
  const frames = [text('ping', { opcode: 9 }), text('pong', { opcode: 10 }), text('3'),
    text('2probe'), text('6')];
  const counts = { pings: 0, closed: 0 };
  for (const frame of frames) {
    const { sent, closed } = await flood(storm, N, () => frame, '3probe');
    counts.pings += sent;
    counts.closed += Number(closed);
  }
  await storm.weather(counts);
});

test('pings of those who never read the pongs', async (t) => {
  const storm = await Storm.start(t);
  const stuck = await Attacker.open(t, storm.port);
  stuck.socket.pause();
  const payload = text('x'.repeat(120), { opcode: 9 });
  let sent = 0;
  const sending = stuck.flood(20 * N, () => { sent += 1; return payload; });
  await Promise.race([sending, sleep(long ? 20000 : 3000)]);
  stuck.socket.resume();
  await Promise.race([stuck.gone, sleep(5000)]);
  const { closed } = stuck;
  stuck.socket.destroy();
  await sending;
  assert.equal(closed, true, 'it is given up, not its pongs kept');
  await storm.weather({ pings: sent, closed: Number(closed) });
});

test('messages in fragments without end', async (t) => {
  const storm = await Storm.start(t);
  const first = text('4', { fin: false });
  const { sent, closed } = await flood(storm, 10 * N,
    (i) => (i === 0 ? first : text('x'.repeat(100), { opcode: 0, fin: false })));
  assert.equal(closed, true, 'beyond maxPayload the connection ends');
  const empty = await flood(storm, 5 * N,
    (i) => (i === 0 ? first : text('', { opcode: 0, fin: false })));
  // what comes after the limit is not kept until the close is answered
  await storm.weather({ fragments: sent, 'empty ones': empty.sent }, 8 * MIB);
});

test('frames that say that they are huge', async (t) => {
  const storm = await Storm.start(t);
  const counts = { frames: 0, closed: 0 };
  for (const length of [1000001n, 1n << 31n, 1n << 40n, (1n << 63n) - 1n, (1n << 64n) - 1n]) {
    for (let i = 0; i < (long ? 50 : 5); i += 1) {
      const attacker = await Attacker.open(t, storm.port);
      const head = Buffer.alloc(14);
      head[0] = 0x81;
      head[1] = 0x80 | 127;
      head.writeBigUInt64BE(length, 2);
      attacker.socket.write(head);
      await attacker.flood(20, () => Buffer.alloc(65536, 120));
      await Promise.race([attacker.gone, sleep(5000)]);
      counts.frames += 1;
      counts.closed += Number(attacker.closed);
      attacker.socket.destroy();
    }
  }
  assert.equal(counts.closed, counts.frames);
  await storm.weather(counts);
});

test('JSON that is deep, wide, or wrong', async (t) => {
  const storm = await Storm.start(t);
  const bombs = [
    `42["ai:chat:generate",${'['.repeat(400000)}`,
    `42["ai:chat:generate",${'['.repeat(400000)}${']'.repeat(400000)}]`,
    `42["ai:chat:generate",${'{"a":'.repeat(150000)}1${'}'.repeat(150000)}]`,
    `42["ai:chat:generate",{${Array.from({ length: 60000 }, (_, i) => `"k${i}":1`).join()}}]`,
    `42["ai:chat:generate",{"message":"${'\\u0000'.repeat(150000)}"}]`,
    `42["ai:chat:generate",{"message":${'9'.repeat(900000)}}]`,
    `42["ai:chat:generate",{"message":"${'\\ud800'.repeat(150000)}"}]`,
    `42["ai:chat:generate",{"message":"unfinished`,
    `451000000-["ai:chat:generate",{"_placeholder":true,"num":0}]`,
    `42${'9'.repeat(100000)}["ai:chat:generate",{}]`,
  ];
  let sent = 0;
  for (let round = 0; round < (long ? 20 : 2); round += 1)
    for (const bomb of bombs) {
      const attacker = await Attacker.open(t, storm.port);
      await attacker.flood(1, () => longFrame(bomb));
      attacker.socket.write(text('42["server:info",{}]'));
      await Promise.race([attacker.gone, sleep(150)]);
      attacker.socket.destroy();
      sent += 1;
    }
  await storm.weather({ bombs: sent }, 64 * MIB);
});

/* A masked frame of any length. */
function longFrame(payload) {
  const data = Buffer.from(payload);
  const head = Buffer.alloc(14);
  head[0] = 0x81;
  head[1] = 0x80 | 127;
  head.writeBigUInt64BE(BigInt(data.length), 2);
  // a mask of zeros changes nothing
  return Buffer.concat([head, data]);
}

/* Whether these bytes are the start of a frame that a server has to take: a mask, and a length in
 * two bytes that is more than what follows. */
const isStartOfFrame = (bytes) =>
  bytes[1] === (0x80 | 126) && bytes.readUInt16BE(2) > bytes.length - 8;

test('bytes that are no WebSocket at all', async (t) => {
  const storm = await Storm.start(t);
  const counts = { connections: 0, closed: 0, 'waited for': 0 };
  const waiting = [];
  for (let i = 0; i < (long ? 500 : 50); i += 1) {
    const attacker = await Attacker.open(t, storm.port);
    const bytes = Buffer.from(Array.from({ length: 500 },
      (_, k) => (k === 0 ? 0x73 + (i % 13) : (i * 31 + k * 17) % 256)));
    attacker.socket.write(bytes);
    counts.connections += 1;
    if (isStartOfFrame(bytes)) {
      waiting.push(attacker);
      continue;
    }
    await Promise.race([attacker.gone, sleep(2000)]);
    counts.closed += Number(attacker.closed);
    attacker.socket.destroy();
  }
  // whose frame never ends answers no ping, either
  await Promise.all(waiting.map((attacker) => Promise.race([attacker.gone, sleep(60000)])));
  counts['waited for'] = waiting.length;
  counts.closed += waiting.filter(({ closed }) => closed).length;
  assert.equal(counts.closed, counts.connections);
  // all of them may still come back, and the others have asked for minutes
  await storm.weather(counts, 32 * MIB, 24 * MIB);
});

/** Sends requests on connections of their own, some at a time; counts their statuses. */
async function requests(storm, count, make, atATime = 20) {
  const statuses = {};
  let next = 0;
  const some = async () => {
    while (next < count) {
      next += 1;
      const attacker = new Attacker(storm.port);
      attacker.socket.write(make(next));
      await attacker.gone;
      const { status } = attacker;
      statuses[`× ${status}`] = (statuses[`× ${status}`] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: atATime }, some));
  return statuses;
}

const SOCKET = '/api/socket/?EIO=4&transport=polling';

test('a flood of polls for sessions that are not there', async (t) => {
  const storm = await Storm.start(t);
  const statuses = await requests(storm, long ? 20000 : 1500,
    (i) => request(`${SOCKET}&sid=${'x'.repeat(10 + (i % 200))}`));
  assert.deepEqual(Object.keys(statuses), ['× 400']);
  await storm.weather(statuses);
});

test('a flood of polls of one session', async (t) => {
  const storm = await Storm.start(t);
  const counts = { sessions: 0, polls: 0 };
  for (let i = 0; i < (long ? 300 : 30); i += 1) {
    const first = new Attacker(storm.port);
    first.socket.write(request(SOCKET));
    await first.gone;
    const [, sid] = /"sid":"([^"]+)"/.exec(first.text);
    const polls = Array.from({ length: 20 }, () => {
      const poll = new Attacker(storm.port);
      poll.socket.write(request(`${SOCKET}&sid=${sid}`));
      return poll.gone;
    });
    await Promise.all(polls);
    counts.sessions += 1;
    counts.polls += polls.length;
  }
  await storm.weather(counts);
});

test('sessions that are opened by polling and left', async (t) => {
  const storm = await Storm.start(t);
  const statuses = await requests(storm, long ? 20000 : 1500, () => request(SOCKET));
  assert.deepEqual(Object.keys(statuses), ['× 200']);
  // until they time out they are there, and cost what they may
  await storm.weather(statuses, long ? 128 * MIB : 32 * MIB, 24 * MIB);
});

/** Sends a body of so many bytes, which may say that it is longer; returns the answer's status. */
async function sendBody(storm, path, { size, said = size, chunked }) {
  const attacker = new Attacker(storm.port);
  const piece = Buffer.alloc(65536, 120);
  attacker.socket.write(request(path, { method: 'POST',
    headers: chunked ? { 'Transfer-Encoding': 'chunked' } : { 'Content-Length': said } }));
  await attacker.flood(size / piece.length, () => (chunked
    ? Buffer.concat([Buffer.from('10000\r\n'), piece, Buffer.from('\r\n')]) : piece));
  if (chunked)
    attacker.socket.write('0\r\n\r\n');
  await Promise.race([attacker.gone, sleep(60000)]);
  attacker.socket.destroy();
  return attacker.status;
}

test('a flood of bodies that are too large', async (t) => {
  const storm = await Storm.start(t);
  const counts = { bodies: 0, refused: 0 };
  for (let i = 0; i < (long ? 200 : 6); i += 1) {
    const path = i % 2 === 0 ? '/api/call/server:info' : '/api/chat';
    const status = await sendBody(storm, path, { size: 8 * MIB, chunked: i % 3 === 0 });
    counts.bodies += 1;
    counts.refused += Number(status === 413);
  }
  assert.equal(counts.refused, counts.bodies);
  await storm.weather(counts);
});

test('bodies that never end', { skip: !long && 'they are given up after 30 s' }, async (t) => {
  const storm = await Storm.start(t);
  const statuses = await Promise.all(Array.from({ length: 100 },
    () => sendBody(storm, '/api/chat', { size: MIB, said: 100 * MIB })));
  await storm.weather({ bodies: statuses.length });
});

test('clients that come and go without a word', async (t) => {
  const storm = await Storm.start(t);
  const counts = { connections: 0 };
  const rounds = long ? 200 : 20;
  for (let round = 0; round < rounds; round += 1) {
    const all = Array.from({ length: 50 }, (_, i) => {
      const attacker = new Attacker(storm.port);
      if (i % 3 > 0)
        attacker.socket.write(i % 3 === 1 ? 'GET /api/soc' : request(SOCKET));
      return attacker;
    });
    await Promise.all(all.map(({ socket }) => waitFor(() => !socket.connecting)));
    all.forEach(({ socket }, i) => (i % 2 === 0 ? socket.resetAndDestroy() : socket.destroy()));
    counts.connections += all.length;
  }
  await storm.weather(counts, 64 * MIB);
});
