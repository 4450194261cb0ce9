// SPDX-License-Identifier: GPL-3.0-or-later
// Socket.IO 5 packet by packet: what must be understood, and what must close the connection.
import assert from 'node:assert/strict';

import { inBothModes, startEcho, test } from './lib/echo.mjs';
import { sleep } from './lib/process.mjs';
import { Polling, SEPARATOR, Wire } from './lib/wire.mjs';

/** A WebSocket that joined "/" and was greeted. */
async function join(t, echo, auth = '') {
  const wire = await Wire.connect(t, echo);
  wire.send(`40${auth}`);
  assert.match(await wire.next(), /^40\{"sid":"[A-Za-z0-9_-]{20}"\}$/);
  assert.equal(await wire.next(), `42["auth",${auth || '{}'}]`);
  return wire;
}

async function assertAlive(wire) {
  wire.send('420["message-with-ack","alive?"]');
  assert.equal(await wire.next(), '430["alive?"]');
}

/** Whether a newcomer is served, and nothing is left of the one before. */
async function assertServes(t, echo) {
  await echo.waitForIdleFds();
  await assertAlive(await join(t, echo));
}

function defineGood(mode) {
  const answers = {
    '42["message"]': ['42["message-back"]'],
    '42["message",null]': ['42["message-back",null]'],
    '42 [ "message" , 1 ] ': ['42["message-back",1]'],
    '42["message-with-ack",1]': [],
    '420["message-with-ack",1]': ['430[1]'],
    '4212["message-with-ack"]': ['4312[]'],
    '429007199254740991["message-with-ack"]': ['439007199254740991[]'],
    '42["\\u006dessage",1]': ['42["message-back",1]'],
    '42["message",{"a":1,"a":2}]': ['42["message-back",{"a":2}]'],
    '42["message","\\u0000"]': ['42["message-back","\ufffd"]'],
    '42["message","\\ud83d\\ude00"]': ['42["message-back","😀"]'],
    '42["message",1.0,1e2,-0.5]': null,
    '450-["message",1]': ['42["message-back",1]'],
    '42["nobody listens"]': [],
    '421["nobody listens"]': [],
    '42[5,"a number as name"]': [],
    '42[""]': [],
    '439[]': [],
    '43123456["nobody asked"]': [],
  };
  for (const [packet, expected] of Object.entries(answers)) {
    test(`is understood: ${packet}`, async (t) => {
      const echo = await startEcho(t, 'socketio-echo', mode);
      const wire = await join(t, echo);
      wire.send(packet);
      for (const answer of expected ?? [])
        assert.equal(await wire.next(), answer);
      if (expected === null)
        assert.deepEqual(JSON.parse((await wire.next()).slice(2)), ['message-back', 1, 100, -0.5]);
      await assertAlive(wire);
    });
  }

  test('CONNECT with auth', async (t) => {
    const echo = await startEcho(t, 'socketio-echo', mode);
    await join(t, echo, '{"token":"x","deep":{"a":[1,null]}}');
  });

  test('CONNECT to a namespace, with a query that is not part of its name', async (t) => {
    const echo = await startEcho(t, 'socketio-echo', mode);
    const wire = await Wire.connect(t, echo);
    wire.send('40/custom?token=x,{"a":1}');
    assert.match(await wire.next(), /^40\/custom,\{"sid":"[A-Za-z0-9_-]{20}"\}$/);
    assert.equal(await wire.next(), '42/custom,["auth",{"a":1}]');
    wire.send('42/custom,7["message-with-ack",1]');
    assert.equal(await wire.next(), '43/custom,7[1]');
  });

  test('CONNECT to a namespace without the comma at its end', async (t) => {
    const echo = await startEcho(t, 'socketio-echo', mode);
    const wire = await Wire.connect(t, echo);
    wire.send('40/custom');
    assert.match(await wire.next(), /^40\/custom,\{"sid":/);
  });

  test('CONNECT to an unknown namespace gets CONNECT_ERROR, every time', async (t) => {
    const echo = await startEcho(t, 'socketio-echo', mode);
    const wire = await Wire.connect(t, echo);
    for (let i = 0; i < 3; i += 1) {
      wire.send('40/nowhere,{"a":1}');
      assert.equal(await wire.next(), '44/nowhere,{"message":"Invalid namespace"}');
    }
    wire.send('40');
    assert.match(await wire.next(), /^40\{/);
  });

  test('binary event and binary ack', async (t) => {
    const echo = await startEcho(t, 'socketio-echo', mode);
    const wire = await join(t, echo);
    const place = (num) => `{"_placeholder":true,"num":${num}}`;
    wire.send(`452-["message",${place(1)},{"a":${place(0)}}]`);
    wire.send(Buffer.from('zero'));
    wire.send(Buffer.from(''));
    const [, back] = /^452-(.*)$/.exec(await wire.next());
    const parts = [await wire.next(), await wire.next()].map(String);
    const [name, first, { a }] = JSON.parse(back);
    assert.deepEqual([name, parts[first.num], parts[a.num]], ['message-back', '', 'zero']);

    wire.send(`451-7["message-with-ack",${place(0)}]`);
    wire.send(Buffer.from([1, 2, 3]));
    assert.equal(await wire.next(), `461-7[${place(0)}]`);
    assert.deepEqual(await wire.next(), Buffer.from([1, 2, 3]));
  });

  test('ten attachments', async (t) => {
    const echo = await startEcho(t, 'socketio-echo', mode);
    const wire = await join(t, echo);
    const places = Array.from({ length: 10 }, (_, num) => ({ _placeholder: true, num }));
    wire.send(`4510-${JSON.stringify(['message', ...places])}`);
    for (let i = 0; i < 10; i += 1)
      wire.send(Buffer.from([i]));
    assert.equal(await wire.next(), `4510-${JSON.stringify(['message-back', ...places])}`);
    for (let i = 0; i < 10; i += 1)
      assert.deepEqual(await wire.next(), Buffer.from([i]));
  });

  test('DISCONNECT of a namespace', async (t) => {
    const echo = await startEcho(t, 'socketio-echo', mode);
    const wire = await join(t, echo);
    wire.send('40/custom,');
    assert.match(await wire.next(), /^40\/custom,/);
    assert.equal(await wire.next(), '42/custom,["auth",{}]');
    wire.send('41/custom,');
    await assertAlive(wire);
    wire.send('42/custom,["message"]');
    await wire.waitForClose();
  });

  test('JSON as deep as is allowed', async (t) => {
    const echo = await startEcho(t, 'socketio-echo', mode);
    const wire = await join(t, echo);
    const deep = `${'['.repeat(63)}${']'.repeat(63)}`;
    wire.send(`42["message",${deep}]`);
    assert.equal(await wire.next(), `42["message-back",${deep}]`);
  });

  test('packets in one payload over polling', async (t) => {
    const echo = await startEcho(t, 'socketio-echo', mode);
    const session = await Polling.open(echo);
    await session.send('40');
    const [connected, greeting] = await session.receive(2);
    assert.match(connected, /^40\{"sid"/);
    assert.equal(greeting, '42["auth",{}]');
    await session.send(['42["message",1]', '451-["message",{"_placeholder":true,"num":0}]',
      'bAQID', '420["message-with-ack"]'].join(SEPARATOR));
    assert.deepEqual(await session.receive(4), ['42["message-back",1]',
      '451-["message-back",{"_placeholder":true,"num":0}]', 'bAQID', '430[]']);
  });
}

const deepArrays = (depth) => `42["message",${'['.repeat(depth)}${']'.repeat(depth)}]`;
const reserved = ['connect', 'connect_error', 'disconnect', 'disconnecting', 'newListener',
  'removeListener'];

/* what a connection that joined "/" must not send; each entry is one or several messages */
const BAD = {
  'no packet': ['4'],
  'type 7': ['47'],
  'type 9': ['49["message"]'],
  'a letter as type': ['4x'],
  'a comma as type': ['4,'],
  'CONNECT again': ['40'],
  'CONNECT with an array': ['40/custom,[]'],
  'CONNECT with a string': ['40/custom,"x"'],
  'CONNECT with broken JSON': ['40/custom,{'],
  'CONNECT with an id': ['40/custom,1{}'],
  'DISCONNECT with data': ['41{"a":1}'],
  'DISCONNECT from a namespace not joined': ['41/custom,'],
  'CONNECT_ERROR': ['44{"message":"x"}'],
  'an event for a namespace not joined': ['42/custom,["message"]'],
  'an event for an unknown namespace': ['42/nowhere,["message"]'],
  'an ack for a namespace not joined': ['43/custom,1[]'],
  'an event without data': ['42'],
  'an event with an object': ['42{}'],
  'an event with a string': ['42"message"'],
  'an event with an empty array': ['42[]'],
  'null as name': ['42[null]'],
  'a boolean as name': ['42[true]'],
  'an object as name': ['42[{}]'],
  'an array as name': ['42[["message"]]'],
  'an id out of range': ['4299999999999999999999["message-with-ack"]'],
  'an ack without id': ['43[]'],
  'an ack without data': ['431'],
  'an ack with an object': ['431{}'],
  'JSON cut off': ['42["message"'],
  'JSON cut off in a string': ['42["mess'],
  'JSON and more': ['42["message"]x'],
  'JSON and a second value': ['42["message"]["message"]'],
  'single quotes': ["42['message']"],
  'a comma at the end': ['42["message",]'],
  'undefined': ['42["message",undefined]'],
  'NaN': ['42["message",NaN]'],
  'a number out of range': ['42["message",1e400]'],
  'a number with a leading zero': ['42["message",01]'],
  'a number without digits': ['42["message",-]'],
  'a bare control character': ['42["message","\n"]'],
  'an unknown escape': ['42["message","\\x41"]'],
  'a comment': ['42["message"/**/]'],
  'a byte order mark': ['42\ufeff["message"]'],
  'a depth bomb': [deepArrays(65)],
  'a great depth bomb': [deepArrays(100000)],
  'a depth bomb that never closes': [`42["message",${'['.repeat(200000)}`],
  'a depth bomb of objects': [`42["message",${'{"a":'.repeat(65)}1${'}'.repeat(66)}`],
  'binary out of the blue': [Buffer.from('x')],
  'binary after an event without attachments': ['42["nobody"]', Buffer.from('x')],
  'text while attachments are missing':
    ['452-["message",{"_placeholder":true,"num":0}]', Buffer.from('x'), '42["message"]'],
  'text right after the packet': ['451-["message"]', '42["message"]'],
  'one attachment too many': ['451-["nobody"]', Buffer.from('x'), Buffer.from('y')],
  'eleven attachments': ['4511-["message"]'],
  'attachments beyond counting': ['4599999999999999999999-["message"]'],
  'a binary event without count': ['45["message"]'],
  'a binary event without dash': ['451["message"]'],
  'a binary ack without id': ['461-[{"_placeholder":true,"num":0}]'],
  'a negative count': ['45-1-["message"]'],
  'a placeholder out of range': ['451-["message",{"_placeholder":true,"num":1}]'],
  'a negative placeholder': ['451-["message",{"_placeholder":true,"num":-1}]'],
  'a placeholder without number': ['451-["message",{"_placeholder":true}]'],
  'a placeholder with text as number': ['451-["message",{"_placeholder":true,"num":"0"}]'],
  'a fraction as placeholder': ['451-["message",{"_placeholder":true,"num":0.5}]'],
  ...Object.fromEntries(reserved.map((name) => [`the reserved name ${name}`, [`42["${name}"]`]])),
};

function defineBad(mode) {
  for (const [what, messages] of Object.entries(BAD)) {
    test(`closes the connection: ${what}`, async (t) => {
      const echo = await startEcho(t, 'socketio-echo', mode);
      const wire = await join(t, echo);
      const heard = wire.messages.length;
      for (const message of messages)
        wire.send(message);
      await wire.waitForClose();
      assert.deepEqual(wire.messages.slice(heard), []);
      await assertServes(t, echo);
    });
  }

  const strangers = ['42["message"]', '420["message-with-ack"]', '431[]', '41', '40[]', '40"x"',
    '40{', '40null', '41{}', '45', Buffer.from('x')];
  for (const packet of strangers) {
    test(`closes a connection that joined nothing: ${packet}`, async (t) => {
      const echo = await startEcho(t, 'socketio-echo', mode);
      const wire = await Wire.connect(t, echo);
      wire.send(packet);
      await wire.waitForClose();
      assert.equal(wire.messages.length, 1);
      await assertServes(t, echo);
    });
  }

  test('a bad packet over polling ends the session', async (t) => {
    const echo = await startEcho(t, 'socketio-echo', mode);
    for (const packet of ['42["message"', '49', 'bAQID', '40']) {
      const session = await Polling.open(echo);
      await session.send('40');
      await session.receive(2);
      const poll = session.poll();
      await sleep(50);
      await session.send(packet);
      assert.equal((await poll).text, '1', packet);
      await session.assertGone();
    }
    await assertServes(t, echo);
  });

  test('what follows a bad packet is not read', async (t) => {
    const echo = await startEcho(t, 'socketio-echo', mode);
    const session = await Polling.open(echo);
    const poll = session.poll();
    await sleep(50);
    await session.send(['49', '40', '42["message"]'].join(SEPARATOR));
    assert.equal((await poll).text, '1');
  });

  test('ten thousand joins of unknown namespaces cost no memory', async (t) => {
    const echo = await startEcho(t, 'socketio-echo', mode);
    const wire = await Wire.connect(t, echo);
    for (let i = 0; i < 10000; i += 1) {
      wire.send(`40/${i}-${'x'.repeat(100)},`);
      if (i % 100 === 99) {
        for (let n = 0; n < 100; n += 1)
          assert.match(await wire.next(), /^44\//);
      }
    }
    wire.send('40');
    assert.match(await wire.next(), /^40\{/);
  });
}

function defineConnectTimeout(mode) {
  const options = ['--connect-timeout', '300'];

  test('a connection that joins nothing is closed in time', async (t) => {
    const echo = await startEcho(t, 'socketio-echo', mode, options);
    const start = performance.now();
    const wire = await Wire.connect(t, echo);
    const session = await Polling.open(echo);
    const poll = session.poll();
    await wire.waitForClose(2000);
    assert.ok(performance.now() - start > 200);
    assert.equal((await poll).text, '1');
    await session.assertGone();
    await echo.waitForIdleFds();
  });

  test('a refusal does not count as joining', async (t) => {
    const echo = await startEcho(t, 'socketio-echo', mode, options);
    const wire = await Wire.connect(t, echo);
    wire.send('40/nowhere,');
    assert.match(await wire.next(), /^44/);
    await wire.waitForClose(2000);
  });

  test('a connection that joined stays', async (t) => {
    const echo = await startEcho(t, 'socketio-echo', mode, options);
    const wire = await join(t, echo);
    await sleep(700);
    await assertAlive(wire);
  });

  test('a connection that left all namespaces is closed in time', async (t) => {
    const echo = await startEcho(t, 'socketio-echo', mode, options);
    const wire = await join(t, echo);
    await sleep(400);
    const start = performance.now();
    wire.send('41');
    await wire.waitForClose(2000);
    assert.ok(performance.now() - start > 200);
  });
}

inBothModes((mode) => {
  defineGood(mode);
  defineBad(mode);
  defineConnectTimeout(mode);
});
