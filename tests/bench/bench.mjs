// SPDX-License-Identifier: GPL-3.0-or-later
// bench.mjs [CONNECTIONS [ROUNDS]]: measures the confabd that CONFABD names and the Node peer in
// turns, and prints medians and ratios. Reads the server's own memory and descriptors in /proc.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { Child, countFds, memoryOf, sleep, waitFor } from '../integration/lib/process.mjs';

const connections = Number(process.argv[2] ?? 10000);
const rounds = Number(process.argv[3] ?? 2);
const STARTS = 5;
const SETTLE_MS = 3000;

const here = dirname(fileURLToPath(import.meta.url));
const home = await mkdtemp(join(tmpdir(), 'confab-bench-'));
const env = {
  PATH: process.env.PATH, LANG: 'C.UTF-8', HOME: home, XDG_RUNTIME_DIR: home, XDG_DATA_HOME: home,
};

const subjects = {
  confabd: () => [process.env.CONFABD, ['--dev', '--port', '0', '--provider', 'builtin']],
  peer: () => [process.execPath, [join(here, 'peer.mjs'), '0']],
};

/* Starts a server; says how long it took from exec to the line that says it listens. */
async function startServer(name) {
  const begin = performance.now();
  const [command, args] = subjects[name]();
  const child = new Child(command, args, { env });
  let end = null;
  child.process.stdout.on('data', () => { end ??= performance.now(); });
  const [, port] = await child.waitForOutput(/^Listening on http:\/\/127\.0\.0\.1:(\d+)/m);
  return { child, port: Number(port), listening: end - begin };
}

async function openConnections(port) {
  const load = new Child(process.execPath, [join(here, 'load.mjs'), String(port),
    String(connections)], { stdio: ['pipe', 'pipe', 'pipe'] });
  const [, opened, ms] = await load.waitForOutput(/^opened (\d+) in (\d+) ms$/m, 120000);
  if (Number(opened) !== connections)
    throw new Error(`only ${opened} of ${connections} connections opened`);
  return { load, ms: Number(ms) };
}

async function measureRound(name) {
  const startTimes = [];
  for (let i = 1; i < STARTS; i += 1) {
    const { child, listening } = await startServer(name);
    startTimes.push(listening);
    await child.end();
  }

  const { child, port, listening } = await startServer(name);
  startTimes.push(listening);
  await sleep(SETTLE_MS);
  const idle = await memoryOf(child.pid);
  const idleFds = await countFds(child.pid);

  const { load, ms } = await openConnections(port);
  await sleep(SETTLE_MS);
  const busy = await memoryOf(child.pid);
  const busyFds = await countFds(child.pid);
  if (/^lost/m.test(load.stdout))
    throw new Error(`${name} dropped connections:\n${load.stdout}`);

  load.process.stdin.write('leave\n');
  await load.exited;
  await waitFor(async () => await countFds(child.pid) < idleFds + connections / 100, {
    timeout: 30000, interval: 100, what: `${name} lets go of its connections`,
  });
  await sleep(SETTLE_MS);
  const after = await memoryOf(child.pid);
  const afterFds = await countFds(child.pid);
  await child.end();

  const mega = (bytes) => bytes / 1e6;
  return {
    'exec to listening, ms': median(startTimes),
    'idle: VmRSS, MB': mega(idle.rss),
    'idle: Pss, MB': mega(idle.pss),
    'idle: descriptors': idleFds,
    [`opening ${connections} connections, ms`]: ms,
    [`${connections} connections: VmRSS, MB`]: mega(busy.rss),
    [`${connections} connections: Pss, MB`]: mega(busy.pss),
    [`${connections} connections: descriptors`]: busyFds,
    'after they left: VmRSS, MB': mega(after.rss),
    'after they left: Pss, MB': mega(after.pss),
    'after they left: descriptors': afterFds,
  };
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function show(value) {
  return Number.isInteger(value) ? String(value) : value.toFixed(1);
}

function printTable(results) {
  const rows = Object.keys(results.confabd[0]).map((what) => {
    const confabd = median(results.confabd.map((round) => round[what]));
    const peer = median(results.peer.map((round) => round[what]));
    const all = (name) => results[name].map((round) => show(round[what])).join(' ');
    return [what, show(confabd), show(peer), (confabd / peer).toFixed(2), all('confabd'),
      all('peer')];
  });
  const head = ['median of rounds', 'confabd', 'Node peer', 'ratio', 'confabd each', 'peer each'];
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column].length)));
  for (const row of [head, ...rows]) {
    console.log(row.map((cell, column) => (column === 0 || column > 3
      ? cell.padEnd(widths[column]) : cell.padStart(widths[column]))).join('  ').trimEnd());
  }
}

const results = { confabd: [], peer: [] };
try {
  for (let round = 1; round <= rounds; round += 1) {
    for (const name of Object.keys(subjects)) {
      console.log(`round ${round} of ${rounds}: ${name}`);
      results[name].push(await measureRound(name));
    }
  }
  printTable(results);
} finally {
  await rm(home, { recursive: true, force: true });
}
