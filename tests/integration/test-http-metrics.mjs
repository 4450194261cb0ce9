// SPDX-License-Identifier: GPL-3.0-or-later
// GET /metrics, as Prometheus reads it: https://prometheus.io/docs/instrumenting/exposition_formats
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import test from 'node:test';

import { connect, startWithRaw } from './lib/chat.mjs';
import { startConfabd } from './lib/confabd.mjs';
import { fetchFrom } from './lib/http.mjs';
import { waitFor } from './lib/process.mjs';
import { BUILTIN } from './lib/ui-stream.mjs';

const SAMPLE = /^([a-z_]+)(?:\{([^}]*)\})? (\S+)$/;
const LABEL = /^([a-z_]+)="((?:[^"\\\n]|\\[\\"n])*)"$/;

/** Holds the text to the format; returns {types, samples: [{name, labels, value}]}. */
function parse(text) {
  assert.ok(text.endsWith('\n'));
  const types = {};
  const samples = [];
  let begun = null;
  for (const line of text.slice(0, -1).split('\n')) {
    const [, kind, name, rest] = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line) ?? [];
    if (kind === 'HELP') {
      begun = name;
      continue;
    }
    if (kind === 'TYPE') {
      assert.equal(name, begun, 'a type follows its help');
      assert.ok(!(name in types), `${name} is told once`);
      types[name] = rest;
      continue;
    }
    const [, sample, list = '', value] = SAMPLE.exec(line) ?? assert.fail(line);
    const base = types[begun] === 'histogram' ? sample.replace(/_(bucket|sum|count)$/, '') : sample;
    assert.equal(base, begun, 'samples stand below their metric');
    assert.ok(value === '+Inf' || Number.isFinite(Number(value)), line);
    const labels = Object.fromEntries(list === '' ? [] : list.split(',').map((label) => {
      const [, key, content] = LABEL.exec(label) ?? assert.fail(line);
      return [key, content];
    }));
    samples.push({ name: sample, labels, value: Number(value) });
  }
  return { types, samples };
}

async function scrape(confabd, headers = {}) {
  const { status, headers: answered, text } = await fetchFrom(confabd, {
    path: '/metrics',
    headers: confabd.token ? { Authorization: `Bearer ${confabd.token}`, ...headers } : headers,
  });
  assert.equal(status, 200, text);
  assert.equal(answered['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
  const { types, samples } = parse(text);
  /* The value of the sample with these labels; undefined if there is none. */
  const get = (name, wanted = {}) => samples.find((sample) => sample.name === name
    && Object.entries(wanted).every(([key, value]) => sample.labels[key] === value))?.value;
  return { types, samples, get, text };
}

test('it needs the token, and only reads', async (t) => {
  const confabd = await startConfabd(t, ['--provider', 'builtin']);
  assert.equal((await fetchFrom(confabd, { path: '/metrics' })).status, 401);
  await scrape(confabd);
  const headers = { Authorization: `Bearer ${confabd.token}` };
  const head = await fetchFrom(confabd, { path: '/metrics', method: 'HEAD', headers });
  assert.deepEqual([head.status, head.text], [200, '']);
  const post = await fetchFrom(confabd, { path: '/metrics', method: 'POST', headers });
  assert.deepEqual([post.status, post.headers.allow], [405, 'GET, HEAD']);
  assert.equal((await fetchFrom(confabd, { path: '/metrics/x', headers })).status, 404);
});

test('names and types are as Prometheus has them', async (t) => {
  const { types, samples, get } = await scrape(await startConfabd(t, BUILTIN));
  for (const [name, type] of Object.entries(types)) {
    assert.match(name, /^(confab|process)_/);
    assert.equal(type === 'counter', name.endsWith('_total'), name);
  }
  assert.equal(get('confab_ready'), 1);
  assert.equal(get('confab_build_info'), 1);
  assert.ok(get('process_resident_memory_bytes') > 1e6);
  assert.ok(get('process_open_fds') > 3);
  assert.ok(Math.abs(get('process_start_time_seconds') - Date.now() / 1000) < 120);
  for (const transport of ['websocket', 'polling', 'sse'])
    assert.equal(get('confab_connections', { transport }), 0);
  assert.equal(new Set(samples.map(({ name, labels }) => name + JSON.stringify(labels))).size,
    samples.length, 'each series once');
});

test('connections are counted by their transport', async (t) => {
  const confabd = await startConfabd(t, BUILTIN);
  await connect(t, confabd, { transports: ['websocket'] });
  const polling = await connect(t, confabd, { transports: ['polling'] });
  const before = await scrape(confabd);
  assert.equal(before.get('confab_connections', { transport: 'websocket' }), 1);
  assert.equal(before.get('confab_connections', { transport: 'polling' }), 1);

  polling.socket.disconnect();
  await waitFor(async () => (await scrape(confabd))
    .get('confab_connections', { transport: 'polling' }) === 0, { what: 'it leaves the count' });
});

test('what Socket.IO counts is told, and counted from the start', async (t) => {
  const confabd = await startConfabd(t, BUILTIN);
  const first = await scrape(confabd);
  const wanted = [
    ['connections', { transport: 'polling' }], ['connections', { transport: 'websocket' }],
    ['ended_connections', { reason: 'transport-close' }], ['upgrades', { result: 'done' }],
    ['upgrades', { result: 'failed' }], ['recoveries', { result: 'done' }],
    ['recoveries', { result: 'failed' }], ['packets', { direction: 'in' }],
    ['packets', { direction: 'out' }], ['bytes', { direction: 'in' }],
    ['bytes', { direction: 'out' }], ['dropped_events', { reason: 'volatile' }],
    ['dropped_events', { reason: 'queue-full' }], ['overflows', {}], ['connect_errors', {}],
    ['errors', { code: 'unknown-sid' }], ['errors', { code: 'forbidden' }],
  ];
  for (const [name, labels] of wanted)
    assert.equal(first.get(`confab_socketio_${name}_total`, labels), 0, name);

  await connect(t, confabd, { transports: ['websocket'] });
  const moving = await connect(t, confabd, { transports: ['polling', 'websocket'] });
  await waitFor(() => moving.socket.io.engine.transport.name === 'websocket',
    { what: 'the upgrade' });
  const { status } = await fetchFrom(confabd, {
    path: '/api/socket?EIO=4&transport=polling&sid=made-up',
    headers: { Authorization: `Bearer ${confabd.token}` } });
  assert.equal(status, 400);
  const { get } = await scrape(confabd);
  const count = (name, labels) => get(`confab_socketio_${name}_total`, labels);
  assert.equal(count('connections', { transport: 'websocket' }), 1);
  assert.equal(count('connections', { transport: 'polling' }), 1);
  assert.equal(count('upgrades', { result: 'done' }), 1);
  assert.equal(count('errors', { code: 'unknown-sid' }), 1);
  for (const direction of ['in', 'out']) {
    assert.ok(count('packets', { direction }) >= 3);
    assert.ok(count('bytes', { direction }) > count('packets', { direction }));
  }
  moving.socket.disconnect();
  await waitFor(async () => (await scrape(confabd))
    .get('confab_socketio_ended_connections_total', { reason: 'transport-close' }) === 1,
  { what: 'the end' });
  const odd = await connect(t, confabd, { transports: ['websocket'], reconnection: false });
  odd.socket.io.engine.write('9["a kind of packet that is none"]');
  await waitFor(async () => (await scrape(confabd))
    .get('confab_socketio_ended_connections_total', { reason: 'parse-error' }) === 1,
  { what: 'the end of the odd one' });
});

test('answers are counted by how they ended', async (t) => {
  const { confabd } = await startWithRaw(t, 'plain');
  const chat = await connect(t, confabd);
  const { end } = await chat.ask({ moduleId: 'm', message: 'One' });
  await chat.ask({ moduleId: 'm', message: 'Two' });
  const { get } = await scrape(confabd);
  const provider = 'openai';
  assert.equal(get('confab_generations_started_total', { provider }), 2);
  assert.equal(get('confab_generations_ended_total',
    { provider, state: 'completed', reason: 'stop' }), 2);
  assert.equal(get('confab_output_bytes_total', { provider, kind: 'text' }),
    2 * Buffer.byteLength(end.message));
  assert.equal(get('confab_time_to_first_token_seconds_count'), 2);
  assert.equal(get('confab_upstream_errors_total'), undefined);
  assert.ok(get('confab_store_commit_seconds_count') >= 4, 'questions and ends');
});

test('an answer that runs is counted by its state', async (t) => {
  const { confabd } = await startWithRaw(t, 'stall');
  const chat = await connect(t, confabd);
  await chat.generate({ moduleId: 'm', message: 'One' });
  await chat.waitFor(() => chat.all('chunk').length > 0);
  const wanted = { provider: 'openai', state: 'streaming' };
  assert.equal((await scrape(confabd)).get('confab_generations', wanted), 1);
  await chat.call('ai:chat:stop', { moduleId: 'm' });
  const { get } = await scrape(confabd);
  assert.equal(get('confab_generations', wanted), 0);
  assert.equal(get('confab_generations_ended_total', { state: 'stopped', reason: 'stopped' }), 1);
});

test('what an upstream fails at is counted by code', async (t) => {
  const { confabd } = await startWithRaw(t, 'http-401');
  const chat = await connect(t, confabd);
  await chat.ask({ moduleId: 'm', message: 'One' });
  const { get } = await scrape(confabd);
  assert.equal(get('confab_upstream_errors_total', { provider: 'openai', code: 'upstream-auth' }),
    1);
  assert.equal(get('confab_generations_ended_total',
    { state: 'failed', reason: 'upstream-auth' }), 1);
});

test('buckets add up, and the last holds all', async (t) => {
  const { confabd } = await startWithRaw(t, 'plain');
  const chat = await connect(t, confabd);
  await chat.ask({ moduleId: 'm', message: 'One' });
  const { samples, get } = await scrape(confabd);
  for (const name of ['confab_time_to_first_token_seconds', 'confab_added_latency_seconds',
    'confab_store_commit_seconds']) {
    const buckets = samples.filter((sample) => sample.name === `${name}_bucket`);
    assert.equal(buckets.at(-1).labels.le, '+Inf');
    assert.equal(buckets.at(-1).value, get(`${name}_count`));
    assert.deepEqual(buckets.map(({ value }) => value),
      buckets.map(({ value }) => value).sort((a, b) => a - b));
    const bounds = buckets.slice(0, -1).map(({ labels }) => Number(labels.le));
    assert.deepEqual(bounds, [...bounds].sort((a, b) => a - b));
  }
});

test('the added latency is counted once for each piece, and is ours alone', async (t) => {
  const { confabd } = await startWithRaw(t, 'paced:20:50');
  const chat = await connect(t, confabd);
  const { ack } = await chat.ask({ moduleId: 'm', message: 'One' });
  const { get } = await scrape(confabd);
  const pieces = chat.all('chunk', ack.generationId).length;
  assert.equal(get('confab_added_latency_seconds_count'), pieces);
  const sum = get('confab_added_latency_seconds_sum');
  assert.ok(sum > 0 && sum < 0.5, `${sum} s, of a second that the model server took`);
  assert.ok(get('confab_time_to_first_token_seconds_sum') < 1);
});

test('no client can make series of its own', async (t) => {
  const { confabd } = await startWithRaw(t, 'plain');
  const chat = await connect(t, confabd);
  for (let i = 0; i < 5; i += 1)
    await chat.ask({ moduleId: `made-up-${i}`, message: 'x', sessionId: `made-up-${i}` });
  const { code } = await chat.call('module:create',
    { sessionId: 'made-up-0', moduleId: 'other', provider: 'made-up' });
  await chat.call('ai:chat:generate', { moduleId: 'other', message: 'x' });
  const { text, get } = await scrape(confabd);
  assert.equal(get('confab_generations_started_total', { provider: 'openai' }),
    code === undefined ? 5 : 6);
  assert.ok(!text.includes('made-up'), text);
});

/** A confabd whose every metric has something to tell, as scraped. */
async function scrapeBusy(t) {
  const { confabd } = await startWithRaw(t, 'http-500', { config: '[confab]\nclient-rate=1\n'
    + 'provider=openai\n[providers/openai]\nretries=0\n' });
  const chat = await connect(t, confabd);
  await chat.ask({ moduleId: 'm', message: 'Hello' });
  await Promise.all(Array.from({ length: 20 }, () => chat.call('server:info', {})));
  return scrape(confabd);
}

test('promtool finds nothing wrong', async (t) => {
  const { text } = await scrapeBusy(t);
  const told = execFileSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
  assert.equal(told, '');
});

test('the dashboard for Grafana shows what there is, and all of it', async (t) => {
  const { types } = await scrapeBusy(t);
  const path = new URL('../../data/grafana/confab.json', import.meta.url);
  const { panels, templating } = JSON.parse(await readFile(path, 'utf8'));
  const shown = new Set();
  for (const { title, targets, datasource } of panels) {
    assert.equal(datasource.uid, '${source}', title);
    for (const { expr } of targets) {
      const names = expr.match(/\b(?:confab|process)_[a-z_]+/g).map((name) =>
        (name in types ? name : name.replace(/_(bucket|sum|count)$/, '')));
      assert.ok(names.length > 0, title);
      names.forEach((name) => {
        assert.ok(name in types, `${title}: there is no ${name}`);
        shown.add(name);
      });
    }
  }
  for (const { query } of templating.list)
    query.match(/\bconfab_[a-z_]+/g)?.forEach((name) => shown.add(name));
  assert.deepEqual(Object.keys(types).filter((name) => !shown.has(name)),
    ['process_start_time_seconds']);
});
