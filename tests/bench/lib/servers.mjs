// SPDX-License-Identifier: GPL-3.0-or-later
// The servers that are measured against each other, and what /proc knows of them.
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { Child } from '../../integration/lib/process.mjs';

const here = dirname(dirname(fileURLToPath(import.meta.url)));
/* of /proc/PID/stat, on every Linux that this runs on */
const TICKS_PER_SECOND = 100;

const confabd = (baseUrl, home, ...more) => [process.env.CONFABD, ['--dev', '--port', '0',
  '--provider', 'openai', '--base-url', baseUrl, '--model', 'bench',
  '--data-dir', join(home, 'data'), ...more], {}];

/* Each: [command, arguments, variables]; `confabd` is the one that CONFABD names, `in-memory` the
 * same without its store on disk, which shows what durability costs. */
const subjects = {
  confabd,
  'in-memory': (baseUrl, home) => confabd(baseUrl, home, '--in-memory'),
  node: (baseUrl) => [process.execPath, [join(here, 'peer.mjs'), '0'],
    { OPENAI_BASE_URL: baseUrl }],
  python: (baseUrl) => ['/usr/bin/python3', [join(here, 'peer.py'), '0'],
    { OPENAI_BASE_URL: baseUrl }],
};

function request(port) {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path: '/api/socket/?EIO=4&transport=polling', agent: false },
      (response) => {
        response.resume();
        response.on('end', () => resolve(response.statusCode));
      }).on('error', reject);
  });
}

/** Runs a program that says where it listens. */
export async function startProgram(command, args, env = {}) {
  const begin = performance.now();
  const child = new Child(command, args, {
    env: { PATH: process.env.PATH, LANG: 'C.UTF-8', ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let said = null;
  child.process.stdout.once('data', () => { said = performance.now(); });
  const [, port] = await child.waitForOutput(/^Listening on http:\/\/127\.0\.0\.1:(\d+)/m);
  return { child, port: Number(port), listening: said - begin, begin };
}

export const startUpstream = () => startProgram(process.execPath, [join(here, 'upstream.mjs')]);

/** A server that is measured: its process, and what it has used. */
export class Server {
  static async start(name, baseUrl, home) {
    const self = new Server();
    self.name = name;
    self.home = home ?? await mkdtemp(join(tmpdir(), 'confab-bench-'));
    const [command, args, env] = subjects[name](baseUrl, self.home);
    const started = await startProgram(command, args, {
      HOME: self.home, XDG_RUNTIME_DIR: self.home, XDG_DATA_HOME: self.home, ...env,
    });
    Object.assign(self, started);
    const status = await request(self.port);
    if (status !== 200)
      throw new Error(`${name} answered ${status}`);
    /** From exec to the answer to a first request, in ms. */
    self.startTime = performance.now() - started.begin;
    return self;
  }

  get pid() {
    return this.child.pid;
  }

  /** Processor time of all its threads in ms, in the program and in the kernel. */
  async cpuTimes() {
    const text = await readFile(`/proc/${this.pid}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const toMs = (ticks) => (Number(ticks) * 1000) / TICKS_PER_SECOND;
    return { user: toMs(fields[11]), kernel: toMs(fields[12]) };
  }

  async cpuTime() {
    const { user, kernel } = await this.cpuTimes();
    return user + kernel;
  }

  /** Processor time of its threads of a name, in ms; 0 if it has none. */
  async cpuTimeOfThreads(comm) {
    const folder = `/proc/${this.pid}/task`;
    let ns = 0;
    for (const id of await readdir(folder))
      if ((await readFile(`${folder}/${id}/comm`, 'utf8')).trim() === comm)
        ns += Number((await readFile(`${folder}/${id}/schedstat`, 'utf8')).split(' ')[0]);
    return ns / 1e6;
  }

  /** Another one on the same data. */
  async restart(baseUrl) {
    await this.child.end();
    return Server.start(this.name, baseUrl, this.home);
  }

  /** An event of the contract as a call over HTTP. */
  async call(event, payload) {
    const response = await fetch(`http://127.0.0.1:${this.port}/api/call/${event}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(payload),
    });
    const ack = await response.json();
    if (!ack.ok)
      throw new Error(JSON.stringify(ack));
    return ack;
  }

  async stop() {
    await this.child.end();
    await rm(this.home, { recursive: true, force: true });
  }
}

/** A load program of this folder, spoken to line by line. */
export class Load {
  #seen = 0;

  constructor(program, ...args) {
    this.child = new Child(process.execPath, [join(here, program), ...args.map(String)],
      { stdio: ['pipe', 'pipe', 'pipe'] });
  }

  /** Waits for its next line. */
  async line(timeout = 180000) {
    const rest = () => this.child.stdout.slice(this.#seen);
    const [, text] = await this.child.waitForOutput({
      exec: () => /^(.*)\n/.exec(rest()),
    }, timeout);
    this.#seen += text.length + 1;
    return text;
  }

  say(line) {
    this.child.process.stdin.write(`${line}\n`);
  }

  async ask(line) {
    this.say(line);
    return JSON.parse(await this.line());
  }

  async end() {
    this.child.process.stdin.end();
    await this.child.end();
  }
}
