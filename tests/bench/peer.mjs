// SPDX-License-Identifier: GPL-3.0-or-later
// The peer to measure against: the same job done with Node's HTTP server, the reference Socket.IO
// server and the official OpenAI SDK, in the way their manuals show. peer.mjs PORT
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';

import OpenAI from 'openai';
import { Server } from 'socket.io';

const openai = new OpenAI({
  apiKey: process.env.OPENAI_API_KEY ?? 'none',
  baseURL: process.env.OPENAI_BASE_URL ?? 'http://127.0.0.1:9/v1',
});
const model = process.env.PEER_MODEL ?? 'default';

async function generate(socket, { moduleId, message }, ids, signal) {
  const same = { moduleId, generationId: ids.generationId };
  let text = '';
  let seq = 0;
  let finishReason = 'stop';

  /* whoever follows the module hears of it too */
  const target = io.of('/').adapter.rooms.has(moduleId) ? io.to([moduleId, socket.id]) : socket;

  target.emit('ai:chat:started', { ...same, messageId: ids.messageId, message });
  const stream = await openai.chat.completions.create({
    model,
    messages: [{ role: 'user', content: message }],
    stream: true,
  }, { signal });
  for await (const part of stream) {
    const choice = part.choices[0];
    const chunk = choice?.delta?.content;
    if (choice?.finish_reason)
      finishReason = choice.finish_reason;
    if (!chunk)
      continue;
    text += chunk;
    seq += 1;
    target.emit('ai:chat:chunk', { chunk, ...same, seq });
  }
  target.emit('ai:chat:complete', {
    message: text, ...same, messageId: ids.messageId, finishReason, usage: null,
  });
}

const http = createServer();
const io = new Server(http, { path: '/api/socket', perMessageDeflate: false });

io.on('connection', (socket) => {
  const running = new Map();
  socket.on('ai:chat:generate', async (request, ack) => {
    const ids = { generationId: randomUUID(), messageId: randomUUID() };
    const controller = new AbortController();
    running.set(ids.generationId, controller);
    ack?.({ ok: true, ...ids });
    try {
      await generate(socket, request, ids, controller.signal);
    } catch (error) {
      socket.emit('ai:chat:error', {
        error: error.message, code: 'upstream-error', moduleId: request.moduleId, ...ids,
      });
    } finally {
      running.delete(ids.generationId);
    }
  });
  socket.on('ai:chat:resume', async ({ moduleId }, ack) => {
    await socket.join(moduleId);
    ack?.({ ok: true });
  });
  socket.on('ai:chat:stop', ({ generationId }, ack) => {
    running.get(generationId)?.abort();
    ack?.({ ok: true });
  });
});

http.listen(Number(process.argv[2] ?? 0), '127.0.0.1', () => {
  console.log(`Listening on http://127.0.0.1:${http.address().port}/`);
});
process.on('SIGTERM', () => process.exit(0));
