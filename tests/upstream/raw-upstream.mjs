// SPDX-License-Identifier: GPL-3.0-or-later
// A model server below the level of any HTTP library: it writes its responses byte by byte onto TCP
// connections, so that every fault of framing can be made. The name of the model chooses the fault.
//
//   node raw-upstream.mjs [PORT]      port 0, or none: a free one; prints "ready PORT"
//
// POST /v1/chat/completions, GET /v1/models, and GET /__stats, which tells
//   {connections: {open, total}, requests: [{method, path, headers, body, model, startedAt,
//    sentBytes, endedAfterMs, closedAfterMs, closedBy}]}
// Times are ms since the request was complete; closedAfterMs is null while its connection is open.
import { createServer } from 'node:net';

const sleep = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

const WORDS = ['The', ' quick', ' brown', ' fox', ' jumps', ' over', ' the', ' lazy', ' dog', '.'];
const UTF8_WORDS = ['Grüße', ' – ', 'здравствуйте', ' ', '你好', ' ', '👋🏽', ' ', 'é̂', '!'];

const requests = [];
const openSockets = new Set();
let totalConnections = 0;

/** Writes the response to one request, in pieces that stay apart on the wire. */
class Response {
  constructor(socket, record) {
    this.socket = socket;
    this.record = record;
    this.chunked = true;
    this.newline = '\n';
    this.step = 0;
  }

  get gone() {
    return this.socket.destroyed || this.record.closedAfterMs !== null;
  }

  /** Writes bytes, `step` at a time if that is set, and waits while the peer does not read. */
  async raw(data) {
    const bytes = Buffer.from(data);
    const step = this.step || bytes.length;
    for (let i = 0; i < bytes.length && !this.gone; i += step) {
      const piece = bytes.subarray(i, i + step);
      this.record.sentBytes += piece.length;
      if (!this.socket.write(piece))
        await Promise.race([
          new Promise((resolve) => { this.socket.once('drain', resolve); }),
          new Promise((resolve) => { this.socket.once('close', resolve); }),
        ]);
      if (this.step)
        await new Promise((resolve) => { setImmediate(resolve); });
    }
  }

  head(status = '200 OK', headers = {}) {
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    return this.raw(`HTTP/1.1 ${status}\r\n${lines.join('')}\r\n`);
  }

  streamHead() {
    const framing = this.chunked ? { 'Transfer-Encoding': 'chunked' } : { Connection: 'close' };
    return this.head('200 OK', {
      'Content-Type': 'text/event-stream; charset=utf-8',
      'Cache-Control': 'no-cache',
      ...framing,
    });
  }

  body(data) {
    const bytes = Buffer.from(data);
    if (!this.chunked)
      return this.raw(bytes);
    return this.raw(Buffer.concat([
      Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n'),
    ]));
  }

  /** Sends one event of the stream. */
  event(value) {
    const data = typeof value === 'string' ? value : JSON.stringify(value);
    return this.body(`data: ${data}${this.newline}${this.newline}`);
  }

  chunk(delta, finishReason = null) {
    return this.event({
      id: 'chatcmpl-raw',
      object: 'chat.completion.chunk',
      created: 1700000000,
      model: this.record.model,
      choices: [{ index: 0, delta, finish_reason: finishReason }],
    });
  }

  text(content) {
    return this.chunk({ content });
  }

  async finish(count, { reason = 'stop', usage = true } = {}) {
    if (reason)
      await this.chunk({}, reason);
    if (usage) {
      await this.event({
        id: 'chatcmpl-raw',
        object: 'chat.completion.chunk',
        model: this.record.model,
        choices: [],
        usage: { prompt_tokens: 5, completion_tokens: count, total_tokens: 5 + count },
      });
    }
  }

  async done() {
    await this.event('[DONE]');
    await this.end();
  }

  async end() {
    if (this.chunked)
      await this.raw('0\r\n\r\n');
    else
      this.socket.end();
  }

  async json(status, value, headers = {}) {
    const body = typeof value === 'string' ? value : JSON.stringify(value);
    await this.head(status, {
      'Content-Type': 'application/json',
      'Content-Length': Buffer.byteLength(body),
      ...headers,
    });
    await this.raw(body);
  }

  /** A stream of `words` that ends as it should. */
  async stream(words, { pause = 0, ...end } = {}) {
    await this.streamHead();
    await this.chunk({ role: 'assistant', content: '' });
    for (const word of words) {
      if (this.gone)
        return;
      if (pause)
        await sleep(pause);
      await this.text(word);
    }
    await this.finish(words.length, end);
    await this.done();
  }
}

const numbered = (count) => Array.from({ length: count }, (_, i) => `t${i} `);

const refusal = (status, type, message, headers) => (response) =>
  response.json(status, { error: { message, type, param: null, code: null } }, headers);

/** By what follows "raw:" in the model's name; further parts, parted by ":", are numbers. */
const behaviours = {
  plain: (response) => response.stream(WORDS),

  'cut-every-byte': (response) => {
    response.step = 1;
    return response.stream(UTF8_WORDS);
  },

  // each byte of the events, UTF-8 included, in an HTTP chunk of its own
  'utf8-split': async (response) => {
    const { body } = Response.prototype;
    response.body = async (data) => {
      for (const byte of Buffer.from(data))
        await body.call(response, Buffer.of(byte));
    };
    await response.stream(UTF8_WORDS);
  },

  crlf: (response) => {
    response.newline = '\r\n';
    return response.stream(WORDS);
  },

  cr: (response) => {
    response.newline = '\r';
    return response.stream(WORDS);
  },

  comments: async (response) => {
    await response.streamHead();
    for (const word of WORDS) {
      await response.body(': still working\n\n');
      await response.body(': and a comment before\nid: 7\nretry: 10\n');
      await response.text(word);
    }
    await response.finish(WORDS.length);
    await response.done();
  },

  // a proper end by its finish reason
  'no-done': async (response) => {
    await response.streamHead();
    for (const word of WORDS)
      await response.text(word);
    await response.finish(WORDS.length);
    await response.end();
  },

  'no-finish-reason': (response) => response.stream(WORDS, { reason: null }),

  // nothing says that this is the end
  'truncated-no-finish': async (response) => {
    await response.streamHead();
    for (const word of WORDS)
      await response.text(word);
    await response.end();
  },

  'close-delimited': (response) => {
    response.chunked = false;
    return response.stream(WORDS);
  },

  'no-usage': (response) => response.stream(WORDS, { usage: false }),

  reasoning: async (response) => {
    await response.streamHead();
    for (const word of ['Let', ' me', ' think'])
      await response.chunk({ reasoning_content: word });
    for (const word of WORDS)
      await response.text(word);
    await response.finish(WORDS.length + 3);
    await response.done();
  },

  'error-in-data': async (response) => {
    await response.streamHead();
    await response.text('The');
    await response.event({ error: { message: 'The engine fell over', type: 'server_error' } });
    await response.end();
  },

  'not-json': async (response) => {
    await response.streamHead();
    await response.text('The');
    await response.event('<html>502 Bad Gateway</html>');
    await response.end();
  },

  'whole-json': (response) => response.json('200 OK', {
    id: 'chatcmpl-raw',
    object: 'chat.completion',
    model: response.record.model,
    choices: [{
      index: 0,
      message: { role: 'assistant', content: WORDS.join('') },
      finish_reason: 'stop',
    }],
    usage: { prompt_tokens: 5, completion_tokens: WORDS.length, total_tokens: 5 + WORDS.length },
  }),

  'http-401': refusal('401 Unauthorized', 'invalid_request_error', 'Incorrect API key provided'),
  'http-429': refusal('429 Too Many Requests', 'rate_limit_error', 'Slow down',
    { 'Retry-After': 7 }),
  'http-500': refusal('500 Internal Server Error', 'server_error', 'The engine fell over'),
  'http-503': refusal('503 Service Unavailable', 'unavailable_error', 'Loading model'),
  'http-400-context': (response) => response.json('400 Bad Request', {
    error: { message: 'Too many tokens', code: 'context_length_exceeded' },
  }),

  // "raw:recovers:N": busy for the first N requests, and then well
  recovers: (response, count = 1) => {
    const { model } = response.record;
    if (requests.filter((request) => request.model === model).length > count)
      return response.stream(WORDS);
    return refusal('503 Service Unavailable', 'unavailable_error', 'Loading model',
      { 'Retry-After-Ms': 20 })(response);
  },

  // sends a little, then nothing, for ever
  stall: async (response) => {
    await response.streamHead();
    await response.text('The');
  },

  // never answers the head
  silent: () => {},

  // breaks off within an event
  disconnect: async (response) => {
    await response.streamHead();
    await response.text('The');
    await response.text(' quick');
    await response.raw('40\r\ndata: {"choices":[{"del');
    await sleep(20);
    response.socket.destroy();
  },

  reset: async (response) => {
    await response.streamHead();
    await response.text('The');
    await sleep(20);
    response.socket.resetAndDestroy();
  },

  slow: (response, count = 50) => response.stream(numbered(count), { pause: 20 }),

  paced: (response, count = 50, ms = 20) => response.stream(numbered(count), { pause: ms }),

  // COUNT pieces of BYTES characters as fast as they are read, and a rest in ms before the end
  flood: async (response, count = 100, bytes = 30000, rest = 0) => {
    await response.streamHead();
    for (let i = 0; i < count && !response.gone; i += 1)
      await response.text(`${i} `.padEnd(bytes, '.'));
    await sleep(rest);
    await response.finish(count);
    await response.done();
  },

  burst: (response, count = 1000) => response.stream(numbered(count)),

  // says which answer of all it is, and with PARAGRAPHS, so many times more
  counted: (response, paragraphs = 0) => {
    const n = requests.filter(({ method }) => method === 'POST').length;
    const more = Array.from({ length: n * paragraphs }, () => `\n\nMore of ${n}.`);
    return response.stream([`Answer number ${n}.`, ...more]);
  },

  // refuses, and says PAD dots, the key and the question in its reason
  repeats: (response, status = 401, pad = 0) => {
    const { headers, body } = response.record;
    const key = (headers.authorization ?? '').replace('Bearer ', '');
    const message = `${'.'.repeat(pad)}${key} ${body.messages.at(-1).content}`;
    return refusal(`${status} Refused`, null, message, { 'Retry-After-Ms': 20 })(response);
  },

  // what the conversation was, one line a turn
  echo: (response) => {
    const turns = response.record.body.messages.map(({ role, content }) => `${role}: ${content}\n`);
    return response.stream(turns);
  },
};

function answerCompletion(response) {
  const { model } = response.record;
  const [prefix, name, ...numbers] = String(model).split(':');
  const behaviour = prefix === 'raw' && Object.hasOwn(behaviours, name) ? behaviours[name] : null;
  if (!behaviour)
    return refusal('404 Not Found', 'invalid_request_error', `No model ${model}`)(response);
  return behaviour(response, ...numbers.map(Number));
}

function stats() {
  return { connections: { open: openSockets.size, total: totalConnections }, requests };
}

async function answer(response) {
  const { method, path } = response.record;
  if (method === 'GET' && path === '/__stats')
    await response.json('200 OK', stats());
  else if (method === 'GET' && path === '/v1/models')
    await response.json('200 OK', {
      object: 'list',
      data: Object.keys(behaviours).map((name) => ({ id: `raw:${name}`, object: 'model' })),
    });
  else if (method === 'POST' && path === '/v1/chat/completions')
    await answerCompletion(response);
  else
    await refusal('404 Not Found', 'invalid_request_error', `No ${method} ${path}`)(response);
}

/** Takes one whole request off the front of `bytes`; null while it is not all there. */
function takeRequest(bytes) {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0)
    return null;
  const [start, ...lines] = bytes.subarray(0, end).toString('latin1').split('\r\n');
  const [method, path] = start.split(' ');
  const headers = Object.fromEntries(lines.map((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  }));
  const length = end + 4 + Number(headers['content-length'] ?? 0);
  if (bytes.length < length)
    return null;
  const text = bytes.subarray(end + 4, length).toString('utf8');
  return { method, path, headers, text, rest: bytes.subarray(length) };
}

function parseBody(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function serve(socket) {
  let pending = Buffer.alloc(0);
  const records = [];
  let busy = Promise.resolve();

  totalConnections += 1;
  openSockets.add(socket);
  socket.setNoDelay(true);

  const closed = (by) => {
    for (const record of records.filter(({ closedAfterMs }) => closedAfterMs === null)) {
      record.closedAfterMs = Date.now() - record.startedAt;
      record.closedBy = by;
    }
  };

  const handle = async (request) => {
    const body = parseBody(request.text);
    const record = {
      method: request.method,
      path: request.path,
      headers: request.headers,
      body,
      model: body?.model ?? null,
      startedAt: Date.now(),
      sentBytes: 0,
      endedAfterMs: null,
      closedAfterMs: null,
      closedBy: null,
    };
    records.push(record);
    if (record.path !== '/__stats')
      requests.push(record);
    await answer(new Response(socket, record));
    record.endedAfterMs = Date.now() - record.startedAt;
  };

  socket.on('data', (data) => {
    pending = Buffer.concat([pending, data]);
    for (let request = takeRequest(pending); request; request = takeRequest(pending)) {
      const taken = request;
      pending = taken.rest;
      busy = busy.then(() => handle(taken)).catch(() => socket.destroy());
    }
  });
  socket.on('error', () => closed('peer'));
  socket.on('end', () => {
    closed('peer');
    socket.end();
  });
  socket.on('close', () => {
    closed('server');
    openSockets.delete(socket);
  });
}

const server = createServer({ allowHalfOpen: true }, serve);
server.listen(Number(process.argv[2] ?? 0), '127.0.0.1', () => {
  console.log(`ready ${server.address().port}`);
});
