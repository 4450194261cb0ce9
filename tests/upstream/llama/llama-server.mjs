// SPDX-License-Identifier: GPL-3.0-or-later
// llama.cpp, as the addon from npm carries it, behind OpenAI's Chat Completions. One completion
// runs at a time, others wait their turn; one whose client goes away is stopped.
//
//   node llama-server.mjs MODEL.gguf [PORT]      port 0, or none: a free one; prints "ready PORT"
import { createServer } from 'node:http';

import llama from '@fugood/llama.node';

const CONTEXT_TOKENS = 2048;
const DEFAULT_MAX_TOKENS = 64;
const MODEL = 'bigram';

const [modelPath, port = '0'] = process.argv.slice(2);
await llama.toggleNativeLog(false);
const context = await llama.loadModel({ model: modelPath, n_ctx: CONTEXT_TOKENS, n_threads: 1 });
let queue = Promise.resolve();

function sendJson(response, status, value) {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(value));
}

function sendError(response, status, type, message) {
  sendJson(response, status, { error: { message, type } });
}

async function readBody(request) {
  const pieces = [];
  for await (const piece of request)
    pieces.push(piece);
  return JSON.parse(Buffer.concat(pieces).toString('utf8'));
}

async function complete(body, response) {
  const base = { id: `chatcmpl-${Date.now()}`, created: Math.floor(Date.now() / 1000),
    model: MODEL };
  const sendEvent = (value) => response.write(`data: ${JSON.stringify(value)}\n\n`);
  const sendChunk = (choices, more) =>
    sendEvent({ ...base, object: 'chat.completion.chunk', choices, ...more });
  const sendDelta = (delta, reason = null) =>
    sendChunk([{ index: 0, delta, finish_reason: reason }]);

  if (response.destroyed)
    return;
  let running = true;
  const stop = () => { if (running) context.stopCompletion(); };
  response.on('close', stop);

  if (body.stream) {
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache',
    });
    sendDelta({ role: 'assistant', content: '' });
  }

  const result = await context.completion({
    messages: body.messages,
    n_predict: body.max_tokens ?? DEFAULT_MAX_TOKENS,
    temperature: body.temperature ?? 0.8,
    top_p: body.top_p ?? 0.95,
    seed: body.seed ?? -1,
  }, ({ token }) => {
    if (body.stream && token && !response.destroyed)
      sendDelta({ content: token });
  });
  running = false;
  if (response.destroyed)
    return;

  const reason = result.stopped_limited || result.context_full ? 'length' : 'stop';
  const usage = {
    prompt_tokens: result.tokens_evaluated - result.tokens_predicted,
    completion_tokens: result.tokens_predicted,
    total_tokens: result.tokens_evaluated,
  };
  if (!body.stream) {
    sendJson(response, 200, {
      ...base,
      object: 'chat.completion',
      choices: [{
        index: 0, message: { role: 'assistant', content: result.text }, finish_reason: reason,
      }],
      usage,
    });
    return;
  }
  sendDelta({}, reason);
  if (body.stream_options?.include_usage)
    sendChunk([], { usage });
  response.end('data: [DONE]\n\n');
}

async function handle(request, response) {
  if (request.method === 'GET' && request.url === '/v1/models') {
    sendJson(response, 200, {
      object: 'list', data: [{ id: MODEL, object: 'model', owned_by: 'llamacpp' }],
    });
    return;
  }
  if (request.method !== 'POST' || request.url !== '/v1/chat/completions') {
    sendError(response, 404, 'not_found_error', `No ${request.method} ${request.url}`);
    return;
  }

  let body;
  try {
    body = await readBody(request);
  } catch {
    sendError(response, 400, 'invalid_request_error', 'The body is not JSON');
    return;
  }

  const turn = queue.then(() => complete(body, response));
  queue = turn.catch(() => {});
  await turn;
}

const server = createServer((request, response) => {
  handle(request, response).catch((error) => {
    if (response.headersSent)
      response.destroy();
    else
      sendError(response, 500, 'server_error', error.message);
  });
});
server.listen(Number(port), '127.0.0.1', () => {
  console.log(`ready ${server.address().port}`);
});
