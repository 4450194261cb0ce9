// SPDX-License-Identifier: GPL-3.0-or-later
// confabd, which ends and begins again on the same data and the same port.
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Child, freePort, sleep } from '../../integration/lib/process.mjs';

const TROUBLE = /-(?:CRITICAL|WARNING) \*\*|Sanitizer:|runtime error:/;
const KEPT = ['PATH', 'ASAN_OPTIONS', 'LSAN_OPTIONS', 'UBSAN_OPTIONS', 'G_SLICE'];

export class Daemon {
  #child = null;
  #path;
  #args;
  #struck = false;
  starts = 0;
  /** What is wrong with how it ran. */
  complaints = [];

  constructor(path, { settings, allowHosts, env }) {
    this.#path = path;
    this.#args = (home, port) => ['--port', String(port), '--unix', '', '--no-bus', '--dev',
      '--data-dir', join(home, 'data'), '--config', join(home, 'confab.ini'),
      ...allowHosts().flatMap((host) => ['--allow-host', host])];
    this.settings = settings;
    this.env = env;
  }

  async prepare() {
    this.home = await mkdtemp(join(tmpdir(), 'confab-cut-'));
    await mkdir(join(this.home, 'run'), { mode: 0o700 });
    await chmod(join(this.home, 'run'), 0o700);
    await writeFile(join(this.home, 'confab.ini'), this.settings);
    this.port = await freePort();
  }

  /** Starts it; while it was away, its port may have been in another's hands for a moment. */
  async start() {
    for (let left = 20; ; left -= 1)
      try {
        await this.#startOnce();
        return;
      } catch (error) {
        if (left === 0 || !/in use/i.test(error.message))
          throw error;
        await sleep(100);
      }
  }

  async #startOnce() {
    const env = Object.fromEntries(KEPT.filter((name) => process.env[name] !== undefined)
      .map((name) => [name, process.env[name]]));
    this.starts += 1;
    this.#child = new Child(this.#path, this.#args(this.home, this.port), { env: { ...env,
      LANG: 'C.UTF-8', HOME: this.home, XDG_RUNTIME_DIR: join(this.home, 'run'),
      GSETTINGS_BACKEND: 'memory', GIO_USE_PROXY_RESOLVER: 'dummy', ...this.env } });
    await this.#child.waitForOutput(/^Listening on /m, 60000);
  }


  /** Ends it in this very moment; end() has to follow. */
  strike() {
    this.#struck = true;
    this.#child.process.kill('SIGKILL');
  }

  /** Ends it as systemd would, or as the kernel does. */
  async end(signal) {
    const child = this.#child;
    if (child.hasExited && !this.#struck)
      this.complaints.push(`confabd had ended by itself:\n${child.stderr}`);
    const { code, killed } = await child.end(signal, 60000);
    this.#struck = false;
    if (signal === 'SIGTERM' && (code !== 0 || killed))
      this.complaints.push(`confabd ended with ${code}:\n${child.stderr}`);
    if (TROUBLE.test(child.stderr))
      this.complaints.push(`confabd complains:\n${child.stderr}`);
  }

  async remove() {
    if (!this.#child?.hasExited)
      await this.#child?.end('SIGKILL');
    await rm(this.home, { recursive: true, force: true });
  }
}
