// SPDX-License-Identifier: GPL-3.0-or-later
// A model server that speaks Chat Completions, fails as its seed says, and remembers what it was
// asked and what of its answers it has put on the wire.
import { once } from 'node:events';
import { createServer } from 'node:http';

import { Random } from './random.mjs';

const WORDS = ['lorem', 'ipsum', 'größe', '你好', '🌍', 'a\nb', '"quoted"', '\\', 'dolor', 'Ελλάδα',
  'x'.repeat(300), ' ', '\u2028', '</script>', 'été'];

/* With which weight an answer ends how. */
const ENDINGS = {
  whole: 60, /* as it should */
  reset: 6, /* the connection is reset midway */
  cut: 6, /* it ends midway, in the middle of HTTP's chunks */
  truncated: 6, /* HTTP ends properly, and the stream has no end of its own */
  stall: 3, /* nothing comes any more */
  error: 6, /* an error inside the data */
  refused: 4, /* 429 */
  unavailable: 4, /* 503 */
  dropped: 3, /* hangs up before any answer */
};

/* Before any output these are tried again, by the contract. */
const BEFORE_OUTPUT = new Set(['refused', 'unavailable', 'dropped']);

/* What names a question, in its text; Confab joins those that have no answer between them. */
export const TAG = /\[q(\d+)\]/g;
export const MARK = /^\[r(\d+)\]/;

function sleep(ms) {
  return new Promise((resolve) => { setTimeout(resolve, ms); });
}

/** What one request will be answered: pieces, pauses, and how it ends. */
function plan(seed, tag, ordinal, number, slow) {
  const random = new Random(seed, 'upstream', tag, ordinal);
  const ending = random.weighted(ENDINGS);
  const n = slow ? random.int(60, 90) : random.int(0, 25);
  const pieces = [];
  if (random.chance(0.3))
    for (let i = random.int(1, 5); i > 0; i -= 1)
      pieces.push({ kind: 'reasoning', text: `${random.pick(WORDS)} ` });
  pieces.push({ kind: 'text', text: `[r${number}]` });
  for (let i = 0; i < n; i += 1)
    pieces.push({ kind: 'text', text: `${i}:${random.pick(WORDS)} ` });

  /* what is not whole breaks off somewhere, maybe before the first piece */
  const until = ending === 'whole' ? pieces.length : random.int(0, pieces.length);
  return {
    ending,
    pieces: BEFORE_OUTPUT.has(ending) ? [] : pieces.slice(0, until),
    head: random.int(0, 20),
    pause: slow ? 40 : random.pick([0, 0, 2, 5, 15]),
    gather: random.pick([1, 1, 3, 10]),
    split: random.chance(0.3),
    usage: random.chance(0.7),
    random,
  };
}

export class Upstream {
  /**
   * What came, in order: `{number, tag, ordinal, ending, text, reasoning, state, prompt}`; `text`
   * is what was written so far, `state` is `open`, `left` by the one who asked, or `done`.
   */
  requests = [];
  #seed;
  #slow;
  #server;
  #closed = false;

  constructor(seed, slow) {
    this.#seed = seed;
    this.#slow = slow;
    this.#server = createServer((request, response) => {
      this.#serve(request, response).catch((error) => {
        if (!this.#closed && !['ECONNRESET', 'EPIPE', 'ERR_STREAM_DESTROYED'].includes(error.code))
          throw error;
      });
    });
  }

  async start() {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    this.baseUrl = `http://127.0.0.1:${this.#server.address().port}/v1`;
  }

  stop() {
    this.#closed = true;
    this.#server.close();
    this.#server.closeAllConnections();
  }

  of(tag) {
    return this.requests.filter((request) => request.tag === tag);
  }

  async #serve(request, response) {
    let body = '';
    request.setEncoding('utf8');
    for await (const piece of request)
      body += piece;
    if (request.method !== 'POST') {
      response.end(JSON.stringify({ data: [{ id: 'cut' }] }));
      return;
    }

    const prompt = JSON.parse(body).messages;
    const tag = [...prompt.at(-1).content.matchAll(TAG)].at(-1)?.[1] ?? 'none';
    const number = this.requests.length + 1;
    const ordinal = this.of(tag).length + 1;
    const planned = plan(this.#seed, tag, ordinal, number, this.#slow);
    const record = { number, tag, ordinal, ending: planned.ending, text: '', reasoning: '',
      state: 'open', prompt, at: Date.now() };
    this.requests.push(record);
    response.on('error', () => {});
    response.on('close', () => {
      if (record.state === 'open')
        record.state = 'left';
    });
    await this.#answer(record, planned, response);
  }

  async #answer(record, planned, response) {
    const { ending } = planned;
    await sleep(planned.head);
    if (record.state !== 'open')
      return;
    if (ending === 'dropped') {
      record.state = 'done';
      response.socket.destroy();
      return;
    }
    if (BEFORE_OUTPUT.has(ending)) {
      record.state = 'done';
      response.writeHead(ending === 'refused' ? 429 : 503, { 'Content-Type': 'application/json' });
      response.end(JSON.stringify({ error: { message: 'Not now.', type: 'busy' } }));
      return;
    }

    response.writeHead(200, { 'Content-Type': 'text/event-stream' });
    response.flushHeaders();
    const { pieces, gather } = planned;
    for (let i = 0; i < pieces.length; i += gather) {
      const some = pieces.slice(i, i + gather);
      await this.#write(record, planned, response, some);
      if (record.state !== 'open')
        return;
    }
    await this.#end(record, planned, response);
  }

  /* Several events may come in one piece, and one in several. */
  async #write(record, planned, response, pieces) {
    const lines = pieces.map(({ kind, text }) => `data: ${JSON.stringify({ choices: [{ index: 0,
      delta: kind === 'text' ? { content: text } : { reasoning_content: text } }] })}\n\n`);
    const bytes = Buffer.from(lines.join(''));
    /* what may have arrived is recorded before it leaves */
    for (const { kind, text } of pieces)
      record[kind] += text;
    if (planned.split) {
      const at = planned.random.int(1, bytes.length - 1);
      response.write(bytes.subarray(0, at));
      await sleep(1);
      if (record.state !== 'open')
        return;
      response.write(bytes.subarray(at));
    } else
      response.write(bytes);
    if (planned.pause > 0)
      await sleep(planned.pause);
    else
      await new Promise(setImmediate);
  }

  async #end(record, planned, response) {
    switch (planned.ending) {
      case 'whole': {
        const usage = planned.usage ? { usage: { prompt_tokens: 3, completion_tokens: 5 } } : {};
        const last = { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }], ...usage };
        record.state = 'done';
        response.end(`data: ${JSON.stringify(last)}\n\ndata: [DONE]\n\n`);
        break;
      }
      case 'error':
        record.state = 'done';
        response.end(`data: ${JSON.stringify({ error: { message: 'Out of order.' } })}\n\n`);
        break;
      case 'truncated':
        record.state = 'done';
        response.end();
        break;
      case 'cut':
        record.state = 'done';
        response.socket?.end();
        break;
      case 'reset':
        record.state = 'done';
        response.socket?.resetAndDestroy();
        break;
      default:
        /* a stall lasts until the one who asked has had enough */
        break;
    }
  }
}
