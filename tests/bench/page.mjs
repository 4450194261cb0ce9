// SPDX-License-Identifier: GPL-3.0-or-later
// page.mjs [MESSAGES]: how the page bears a long conversation (of 5,000 messages), in a real
// browser: opened, scrolled to its beginning with all pages read, scrolled at random, and written
// to at its end. For each: how many tasks kept the main thread longer than 50 ms, and the longest,
// by the clock and by the time of a core (which other programs do not lengthen); and how long
// pictures took. CONFABD names the confabd.
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { chromium } from 'playwright-core';
import { io } from 'socket.io-client';

import { startProgram } from './lib/servers.mjs';
import { percentile } from './lib/statistics.mjs';

const LONG_MS = 50;
const messages = Number(process.argv[2] ?? 5000);
const MODULE = 'long';

const sample = (i) => `## About ${i}

What is asked in *question ${i}* has **two** answers, see [the manual](https://example.org/${i}):

1. the one with \`g_file_read_async ()\`, and
2. the other one, which ${'says a little more about it '.repeat(1 + (i % 7))}.

\`\`\`c
static void
number_${i} (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;
  g_print ("%d\\n", ${i});
}
\`\`\`

| what | how much |
|---|---|
| first | ${i} |
`;

const event = (delta, finish) => `data: ${JSON.stringify({
  choices: [{ index: 0, delta, finish_reason: finish }],
})}\n\n`;

/** A model server: "seed N" is answered at once, "stream COUNT" word by word, 100 a second. */
async function startUpstream() {
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request)
      body += chunk;
    const asked = body ? JSON.parse(body).messages.at(-1).content : '';
    const [, kind, number] = /^(seed|stream) (\d+)/.exec(asked) ?? [];
    response.writeHead(200, { 'Content-Type': 'text/event-stream' });
    const words = kind === 'stream'
      ? sample(1).repeat(Number(number)).split(/(?<=\s)/) : [sample(Number(number))];
    for (const word of words) {
      response.write(event({ content: word }, null));
      if (kind === 'stream')
        await new Promise((resolve) => { setTimeout(resolve, 10); });
    }
    response.end(`${event({}, 'stop')}data: [DONE]\n\n`);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

async function seed(port) {
  const socket = io(`http://127.0.0.1:${port}`, { path: '/api/socket', transports: ['websocket'] });
  for (let i = 0; i < messages / 2; i += 1) {
    const ended = once(socket, 'ai:chat:complete');
    const { ok, error } = await socket.emitWithAck('ai:chat:generate',
      { moduleId: MODULE, message: `seed ${i}` });
    if (!ok)
      throw new Error(error);
    await ended;
  }
  socket.disconnect();
}

/* Runs in the page. */
function watch() {
  window.longTasks = [];
  window.pictures = [];
  new PerformanceObserver((list) => {
    for (const { duration, startTime } of list.getEntries())
      window.longTasks.push({ duration, startTime });
  }).observe({ type: 'longtask', buffered: true });
  let last = performance.now();
  const tick = () => {
    const now = performance.now();
    window.pictures.push(now - last);
    last = now;
    requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
}

/** The tasks of the page's main thread, by the time that they took of a core, in ms. */
function tasksOf(trace) {
  const { traceEvents } = JSON.parse(trace);
  const mains = new Set(traceEvents
    .filter(({ name, args }) => name === 'thread_name' && args.name === 'CrRendererMain')
    .map(({ pid, tid }) => `${pid}:${tid}`));
  return traceEvents
    .filter(({ name, ph, pid, tid }) => ph === 'X' && name.endsWith('RunTask')
      && mains.has(`${pid}:${tid}`))
    .map(({ tdur = 0 }) => tdur / 1000);
}

async function measure(page, what, run) {
  await page.evaluate(() => {
    window.longTasks.length = 0;
    window.pictures.length = 0;
  }).catch(() => {});
  await browser.startTracing(page, { categories: ['toplevel'] });
  const begin = performance.now();
  await run();
  await page.waitForTimeout(300);
  const seconds = (performance.now() - begin) / 1000;
  const tasks = tasksOf((await browser.stopTracing()).toString());
  const { longTasks, pictures } = await page.evaluate(() => ({
    longTasks: window.longTasks.map(({ duration }) => duration), pictures: window.pictures,
  }));
  const long = (times) => `${times.filter((time) => time > LONG_MS).length} of `
    + `${Math.round(times.reduce((most, time) => Math.max(most, time), 0))} ms`;
  console.log([what.padEnd(44), `${seconds.toFixed(1)} s`.padStart(8), long(longTasks).padStart(14),
    long(tasks).padStart(14),
    `${percentile(pictures, 50).toFixed(0)}/${percentile(pictures, 99).toFixed(0)} ms`.padStart(12),
  ].join('  '));
}

/* so that a page that was built apart can be measured without building all anew */
const { G_RESOURCE_OVERLAYS } = process.env;
const overlays = G_RESOURCE_OVERLAYS ? { G_RESOURCE_OVERLAYS } : {};
const home = await mkdtemp(join(tmpdir(), 'confab-bench-'));
const upstream = await startUpstream();
const config = join(home, 'confab.conf');
await writeFile(config, '[providers/openai]\ncontext-tokens=300\n');
const confabd = await startProgram(process.env.CONFABD, ['--dev', '--port', '0', '--provider',
  'openai', '--base-url', `http://127.0.0.1:${upstream.address().port}/v1`, '--model', 'bench',
  '--data-dir', join(home, 'data'), '--config', config], { HOME: home, XDG_RUNTIME_DIR: home,
    ...overlays });
const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
});
try {
  await seed(confabd.port);
  console.log(`${messages} messages, Chromium ${browser.version()}, the page 1000 by 720`);
  console.log(`${''.padEnd(54)}  ${'by the clock'.padStart(14)}  ${'by the core'.padStart(14)}`
    + `  ${'p50/p99'.padStart(12)}`);
  const page = await browser.newPage({ viewport: { width: 1000, height: 720 } });
  page.setDefaultTimeout(120000);
  await page.addInitScript(watch);
  const list = page.getByRole('region', { name: 'Conversation' });
  const atTop = list.getByText('seed 0', { exact: true });

  await page.goto('about:blank');
  await measure(page, 'opened', async () => {
    await page.goto(`http://127.0.0.1:${confabd.port}/session/default/module/${MODULE}`);
    await list.getByText(`seed ${messages / 2 - 1}`, { exact: true }).first().waitFor();
  });
  await page.mouse.move(600, 400);
  await measure(page, 'scrolled to the first, every page read', async () => {
    while (await atTop.count() === 0) {
      await page.mouse.wheel(0, -1500);
      await page.waitForTimeout(30);
    }
  });
  await measure(page, 'scrolled here and there', async () => {
    for (let i = 0; i < 60; i += 1) {
      await list.evaluate((node, part) => { node.scrollTop = node.scrollHeight * part; },
        ((i * 37) % 61) / 61);
      await page.waitForTimeout(50);
    }
  });
  await measure(page, 'scrolled with the wheel, 200 times', async () => {
    for (let i = 0; i < 200; i += 1) {
      await page.mouse.wheel(0, i % 40 < 20 ? 700 : -700);
      await page.waitForTimeout(16);
    }
  });
  await measure(page, 'asked, and an answer of 1,200 words written', async () => {
    await page.getByRole('textbox', { name: 'Message', exact: true }).fill('stream 25');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Stop' }).waitFor();
    await page.getByRole('button', { name: 'Stop' }).waitFor({ state: 'hidden' });
  });
} finally {
  await browser.close();
  await confabd.child.end();
  upstream.close();
  upstream.closeAllConnections();
  await rm(home, { recursive: true, force: true });
}
