// SPDX-License-Identifier: GPL-3.0-or-later
// For node --import: lets aimock, which wants Node 20.15, run on the Node 18 of Debian 12 as well.
// What it lacks there is crc32 of node:zlib.
import { register } from 'node:module';
import * as zlib from 'node:zlib';

const replacement = new URL('./zlib-with-crc32.mjs', import.meta.url).href;

const hooks = `
  export async function resolve(specifier, context, next) {
    const replaced = specifier === 'node:zlib' && context.parentURL !== '${replacement}';
    return next(replaced ? '${replacement}' : specifier, context);
  }`;

if (!zlib.crc32)
  register(`data:text/javascript,${encodeURIComponent(hooks)}`);
