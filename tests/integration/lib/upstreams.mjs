// SPDX-License-Identifier: GPL-3.0-or-later
// Upstream model servers for confabd to talk to. Each stops with the test that started it and
// returns the base URL to give to confabd.
import { request } from 'node:http';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { Child, freePort, waitFor } from './process.mjs';

const nodeCompat = new URL('./node-compat.mjs', import.meta.url).href;
const testsDir = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

function answersHttp(port, path) {
  return new Promise((resolve) => {
    request({ host: '127.0.0.1', port, path, timeout: 1000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    }).on('error', () => resolve(false)).end();
  });
}

async function start(t, command, args) {
  const child = new Child(command, args);
  t?.after(() => child.end('SIGTERM', 2000));
  return child;
}

function upstream(child, port, path = '/v1') {
  return { child, port, baseUrl: `http://127.0.0.1:${port}${path}`, stop: () => child.end() };
}

/** The raw TCP upstream: faults of framing, by the name of the model. */
export async function startRawUpstream(t) {
  const script = join(testsDir, 'upstream/raw-upstream.mjs');
  const child = await start(t, process.execPath, [script, '0']);
  const [, port] = await child.waitForOutput(/^ready (\d+)$/m);
  return upstream(child, Number(port));
}

/** llama.cpp over the weights at `model`, a path of a GGUF file. */
export async function startLlama(t, model) {
  const port = await freePort();
  const script = join(testsDir, 'upstream/llama/llama-server.mjs');
  const child = await start(t, process.execPath, [script, model, String(port)]);
  await child.waitForOutput(/^ready (\d+)$/m, 30000);
  return upstream(child, port);
}

/** aimock with the fixtures of a folder, `chunkSize` characters a chunk. */
export async function startAimock(t, fixtures, { chunkSize = 12, args = [] } = {}) {
  const port = await freePort();
  const llmock = join(testsDir, 'node_modules/.bin/llmock');
  const child = await start(t, process.execPath, ['--import', nodeCompat, llmock,
    '-p', String(port), '-f', fixtures, '-c', String(chunkSize), ...args]);
  await waitFor(() => {
    if (child.hasExited)
      throw new Error(`aimock ended early:\n${child.stdout}${child.stderr}`);
    return answersHttp(port, '/__aimock/journal');
  }, { timeout: 15000, interval: 50, what: 'aimock listens' });
  return upstream(child, port);
}
