// SPDX-License-Identifier: GPL-3.0-or-later
// socketio-glib as it is installed, in a folder of the test's own, and programs built against it
// with nothing but what is installed.
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { Child } from '../../integration/lib/process.mjs';

const run = promisify(execFile);

const COMPILE_TIMEOUT = 120000;

/** What a sanitized library wants of a program; without one, other languages are tested too. */
const SANITIZER = process.env.SOCKETIO_SANITIZER === 'none' ? ''
  : process.env.SOCKETIO_SANITIZER ?? '';

async function find(dir, name) {
  for (const path of await readdir(dir, { recursive: true })) {
    if (path.endsWith(name))
      return join(dir, path);
  }
  throw new Error(`${name} was not installed`);
}

export class Stage {
  static async make() {
    const dir = await mkdtemp(join(tmpdir(), 'confab-stage-'));
    const stage = new Stage(dir);
    await run('meson', ['install', '-C', process.env.CONFAB_BUILD_ROOT, '--no-rebuild', '--quiet',
      '--destdir', dir]);
    const pc = await find(dir, 'socketio-glib-1.pc');
    const text = await readFile(pc, 'utf8');
    stage.prefix = join(dir, /^prefix=(.*)$/m.exec(text)[1]);
    await writeFile(pc, text.replace(/^prefix=.*$/m, `prefix=${stage.prefix}`));
    stage.lib = join(pc, '../..');
    return stage;
  }

  constructor(dir) {
    this.dir = dir;
  }

  /** The languages that were built for. */
  get languages() {
    return ['c', ...(process.env.SOCKETIO_GIR ? ['python', 'gjs'] : []),
      ...(process.env.SOCKETIO_VAPI ? ['vala'] : [])];
  }

  get env() {
    return {
      ...process.env,
      PKG_CONFIG_PATH: join(this.lib, 'pkgconfig'),
      LD_LIBRARY_PATH: this.lib,
      GI_TYPELIB_PATH: join(this.lib, 'girepository-1.0'),
    };
  }

  /** Compiles what has to be; returns how to start it. */
  async build(language, source, name) {
    const program = join(this.dir, name);
    if (language === 'python')
      return ['/usr/bin/python3', source];
    if (language === 'gjs')
      return ['gjs', '-m', source];
    if (language === 'vala') {
      // what is said of the C code that valac makes is nobody's business
      const { stderr } = await this.#compile('valac', ['--fatal-warnings', '-X', '-w',
        '--pkg', 'socketio-glib-1', '--vapidir', join(this.prefix, 'share/vala/vapi'),
        '--girdir', join(this.prefix, 'share/gir-1.0'), '-o', program, source]);
      return [program, stderr].slice(0, 1);
    }
    const flags = await run('pkg-config', ['--cflags', '--libs', 'socketio-glib-1'],
      { env: this.env });
    await this.#compile('cc', ['-Wall', '-Wextra', '-Werror', '-Wno-unused-parameter',
      ...(SANITIZER ? [`-fsanitize=${SANITIZER}`] : []), source, '-o', program,
      ...flags.stdout.trim().split(/\s+/)]);
    return [program];
  }

  #compile(command, args) {
    return run(command, args, { env: this.env, cwd: this.dir, timeout: COMPILE_TIMEOUT });
  }

  /** Starts a program on a free port, and waits until it says which. */
  async start([command, ...args]) {
    const child = new Child(command, [...args, '0'], { env: this.env });
    const [, port] = await child.waitForOutput(/^Listening on port (\d+)$/m, 20000);
    return Object.assign(child, { url: `http://127.0.0.1:${port}` });
  }

  remove() {
    return rm(this.dir, { recursive: true, force: true });
  }
}
