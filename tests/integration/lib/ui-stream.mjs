// SPDX-License-Identifier: GPL-3.0-or-later
// A client of POST /api/chat that takes nothing for granted: it reads the wire itself.
import assert from 'node:assert/strict';

export const BUILTIN = ['--dev', '--provider', 'builtin'];

export function userMessage(id, text) {
  return { id, role: 'user', parts: [{ type: 'text', text }] };
}

export function post(confabd, path, body, options = {}) {
  return fetch(confabd.origin + path, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      ...(confabd.token ? { Authorization: `Bearer ${confabd.token}` } : {}),
    },
    body: typeof body === 'string' ? body : JSON.stringify(body),
    ...options,
  });
}

/** A call of the contract over HTTP, which must be granted. */
export async function call(confabd, event, payload) {
  const response = await post(confabd, `/api/call/${event}`, payload);
  const ack = await response.json();
  assert.equal(ack.ok, true, `${event}: ${JSON.stringify(ack)}`);
  return ack;
}

/** Yields `{part}` of each event, and `{comment}`; the end of the stream is `{done: true}`. */
export async function* readEvents(response) {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const bytes of response.body) {
    rest += decoder.decode(bytes, { stream: true });
    for (;;) {
      const end = rest.indexOf('\n\n');
      if (end < 0)
        break;
      const event = rest.slice(0, end);
      rest = rest.slice(end + 2);
      if (event.startsWith(':'))
        yield { comment: event };
      else if (event === 'data: [DONE]')
        yield { done: true };
      else
        yield { part: JSON.parse(event.slice('data: '.length)) };
    }
  }
  assert.equal(rest, '', 'whole events only');
}

/** Reads a stream to its end and holds it to the dialect. */
export async function readAnswer(response) {
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('content-type'), 'text/event-stream');
  assert.equal(response.headers.get('x-vercel-ai-ui-message-stream'), 'v1');
  assert.equal(response.headers.get('cache-control'), 'no-store');

  const parts = [];
  let done = 0;
  for await (const event of readEvents(response)) {
    if (event.part) {
      assert.equal(done, 0, 'nothing after [DONE]');
      parts.push(event.part);
    }
    done += event.done ? 1 : 0;
  }
  assert.equal(done, 1, 'one [DONE]');
  return checkParts(parts);
}

/** What the parts of one answer say. */
export function checkParts(parts) {
  const answer = { text: '', reasoning: '', blocks: [], parts };
  let open = null;

  assert.equal(parts[0].type, 'start');
  assert.equal(parts[1].type, 'start-step');
  answer.id = parts[0].messageId;
  answer.metadata = { ...parts[0].messageMetadata };
  for (const part of parts.slice(2)) {
    const [, kind, what] = /^(text|reasoning)-(start|delta|end)$/.exec(part.type) ?? [];
    if (what === 'start') {
      assert.equal(open, null, 'one block at a time');
      assert.ok(!answer.blocks.includes(`${kind}:${part.id}`), 'a block begins once');
      open = `${kind}:${part.id}`;
      answer.blocks.push(open);
    } else if (what !== undefined) {
      assert.equal(open, `${kind}:${part.id}`, 'of the open block');
      if (what === 'end')
        open = null;
      else
        answer[kind] += part.delta;
    }
    if (part.messageMetadata)
      Object.assign(answer.metadata, part.messageMetadata);
    if (part.type === 'error')
      answer.error = part.errorText;
  }
  assert.equal(open, null, 'blocks are closed');
  answer.end = parts.at(-1).type;
  assert.equal(parts.filter(({ type }) => ['finish', 'abort', 'error'].includes(type)).length, 1);
  assert.ok(['finish', 'abort', 'error'].includes(answer.end), answer.end);
  answer.finishReason = parts.at(-1).finishReason;
  return answer;
}

/** Asks and reads the answer to its end. */
export async function ask(confabd, body) {
  return readAnswer(await post(confabd, '/api/chat', body));
}

/** Reads parts of a stream until `condition(part)`, and breaks the connection off. */
export async function readUntil(response, condition) {
  for await (const { part } of readEvents(response))
    if (part && condition(part))
      return part;
  throw new Error('the stream ended before');
}
