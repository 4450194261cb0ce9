// SPDX-License-Identifier: GPL-3.0-or-later
// nginx with TLS before a server that is measured.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { Child, freePort, sleep } from '../../integration/lib/process.mjs';

const pem = (name) => fileURLToPath(new URL(`../../upstream/self-signed-${name}.pem`,
  import.meta.url));

/** Returns `{port, end()}`. */
export async function startTlsProxy(serverPort) {
  const dir = await mkdtemp(join(tmpdir(), 'confab-bench-'));
  const port = await freePort();
  await mkdir(join(dir, 'temp'));
  const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${dir}/temp/${name};`).join(' ');
  await writeFile(join(dir, 'nginx.conf'), `${process.getuid() === 0 ? 'user root;' : ''}
daemon off; master_process off; pid ${dir}/pid; error_log stderr;
events { worker_connections 4096; }
http {
  access_log off; ${temp}
  server {
    listen 127.0.0.1:${port} ssl;
    ssl_certificate ${pem('cert')};
    ssl_certificate_key ${pem('key')};
    location / {
      proxy_pass http://127.0.0.1:${serverPort};
      proxy_http_version 1.1;
      proxy_set_header Host 127.0.0.1:${serverPort};
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection upgrade;
      proxy_buffering off;
    }
  }
}
`);
  const child = new Child('/usr/sbin/nginx', ['-e', 'stderr', '-p', dir, '-c',
    join(dir, 'nginx.conf')]);
  await sleep(500);
  if (child.hasExited)
    throw new Error(child.stderr);
  return {
    port,
    end: async () => {
      await child.end();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
