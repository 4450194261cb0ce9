// SPDX-License-Identifier: GPL-3.0-or-later
// The first page: one module, typed to and streamed from. Text of people and models only ever
// becomes text nodes.
import { io } from 'socket.io-client';

const $ = (id) => document.getElementById(id);

const ui = {
  connection: $('connection'),
  log: $('log'),
  empty: $('empty'),
  announcer: $('announcer'),
  error: $('error'),
  form: $('composer'),
  message: $('message'),
  send: $('send'),
  stop: $('stop'),
};

const CONNECTION_WORDS = {
  connecting: 'Connecting…',
  connected: 'Connected',
  lost: 'Connection lost, trying again…',
  unauthorized: 'Not authorised: open the address that confabd printed',
};

const FINISH_NOTES = {
  stopped: 'Stopped.',
  length: 'The answer ends here because it reached its length limit.',
  'content-filter': 'The answer was cut by a content filter.',
};

/* randomUUID exists in secure contexts only, which plain HTTP from another machine is not. */
function makeId() {
  if (crypto.randomUUID)
    return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/* The address names the module, so that a reload or a bookmark comes back to the same one. */
function takeModuleFromAddress() {
  const match = /^\/session\/([^/]+)\/module\/([^/]+)\/?$/.exec(location.pathname);
  if (match)
    return { sessionId: decodeURIComponent(match[1]), moduleId: decodeURIComponent(match[2]) };
  const moduleId = makeId();
  history.replaceState(null, '', `/session/default/module/${moduleId}`);
  return { sessionId: 'default', moduleId };
}

const { sessionId, moduleId } = takeModuleFromAddress();

/* ---- the conversation ---- */

/* generationId -> what is on the page of an answer that has not ended yet */
const answers = new Map();
/* ids of questions that this page put on itself, so that `started` does not add them again */
const ownQuestions = new Set();
let sending = false;

function isAtEnd() {
  return ui.log.scrollHeight - ui.log.scrollTop - ui.log.clientHeight < 48;
}

/* Follows the end of the conversation unless the reader has scrolled away from it. */
function keepingEnd(change) {
  const follow = isAtEnd();
  change();
  if (follow)
    ui.log.scrollTop = ui.log.scrollHeight;
}

function element(name, className, text) {
  const node = document.createElement(name);
  if (className)
    node.className = className;
  if (text !== undefined)
    node.append(text);
  return node;
}

function addTurn(className, speaker) {
  ui.empty.hidden = true;
  const article = element('article', `turn ${className}`);
  article.append(element('h2', 'visually-hidden', speaker));
  ui.log.append(article);
  return article;
}

function addQuestion(message) {
  const article = addTurn('question', 'You');
  article.append(element('p', 'text', message));
  ui.log.scrollTop = ui.log.scrollHeight;
  return article;
}

function addAnswer(generationId) {
  const article = addTurn('answer', 'Answer');
  article.setAttribute('aria-busy', 'true');
  const text = document.createTextNode('');
  const paragraph = element('p', 'text');
  paragraph.append(text);
  article.append(paragraph);
  const answer = { generationId, article, paragraph, text, reasoning: null };
  answers.set(generationId, answer);
  return answer;
}

function addReasoning(answer) {
  const details = element('details');
  details.append(element('summary', '', 'Reasoning'));
  const text = document.createTextNode('');
  const paragraph = element('p', 'text');
  paragraph.append(text);
  details.append(paragraph);
  answer.article.insertBefore(details, answer.paragraph);
  answer.reasoning = text;
}

function answerOf(payload) {
  return answers.get(payload.generationId) ?? addAnswer(payload.generationId);
}

/* Only here is a screen reader told: once, of the whole answer, not of every token. */
function endAnswer(answer, note, className) {
  answers.delete(answer.generationId);
  answer.article.removeAttribute('aria-busy');
  if (!answer.text.data)
    answer.paragraph.remove();
  if (note)
    answer.article.append(element('p', className, note));
  ui.announcer.textContent = [answer.text.data, note].filter(Boolean).join(' ');
}

function showError(sentence) {
  ui.error.textContent = sentence;
  ui.error.hidden = !sentence;
}

function refresh() {
  const streaming = answers.size > 0;
  const hadFocus = document.activeElement === ui.stop;
  ui.stop.hidden = !streaming;
  ui.send.disabled = !socket.connected || streaming || sending || !ui.message.value.trim();
  if (hadFocus && !streaming)
    ui.message.focus();
}

/* ---- the connection ---- */

const socket = io({ path: '/api/socket' });

function showConnection(state) {
  ui.connection.dataset.state = state;
  ui.connection.textContent = CONNECTION_WORDS[state];
  refresh();
}

socket.on('connect', () => {
  showError('');
  showConnection('connected');
});

socket.on('disconnect', () => {
  sending = false;
  for (const answer of [...answers.values()])
    endAnswer(answer, 'The connection was lost while this answer was being written.', 'failure');
  showConnection('lost');
  /* after a DISCONNECT from the server the client does not come back on its own */
  if (!socket.active)
    socket.connect();
});

/* A refusal by the server itself leaves the socket inactive; what is merely out of reach is tried
 * again by the client. */
socket.on('connect_error', (error) => {
  const refused = !socket.active || error.description === 401 || error.description === 403;
  showConnection(refused ? 'unauthorized' : 'lost');
});

function onModule(event, handler) {
  socket.on(event, (payload) => {
    if (payload?.moduleId !== moduleId)
      return;
    keepingEnd(() => handler(payload));
    refresh();
  });
}

onModule('ai:chat:started', (payload) => {
  if (!ownQuestions.has(payload.userMessageId) && typeof payload.message === 'string')
    addQuestion(payload.message);
  answerOf(payload);
});

onModule('ai:chat:chunk', (payload) => {
  answerOf(payload).text.appendData(payload.chunk);
});

onModule('ai:chat:reasoning', (payload) => {
  const answer = answerOf(payload);
  if (!answer.reasoning)
    addReasoning(answer);
  answer.reasoning.appendData(payload.chunk);
});

onModule('ai:chat:complete', (payload) => {
  const answer = answerOf(payload);
  answer.text.data = payload.message;
  endAnswer(answer, FINISH_NOTES[payload.finishReason], 'note');
});

/* Without a generationId it is a refusal, which ends nothing. */
socket.on('ai:chat:error', (payload) => {
  const answer = answers.get(payload.generationId);
  if (answer)
    keepingEnd(() => endAnswer(answer, payload.error, 'failure'));
  else if (!payload.moduleId || payload.moduleId === moduleId)
    showError(payload.error);
  refresh();
});

/* ---- sending and stopping ---- */

function fitInput() {
  ui.message.style.height = 'auto';
  ui.message.style.height = `${ui.message.scrollHeight + 2}px`;
}

/* Gives the text back unless something new has been typed since. */
function takeBack(article, message, sentence) {
  article.remove();
  if (!ui.message.value)
    ui.message.value = message;
  fitInput();
  showError(sentence);
}

function send() {
  const message = ui.message.value.trim();
  if (!message || ui.send.disabled)
    return;
  const userMessageId = makeId();
  const request = { moduleId, sessionId, message, userMessageId, requestId: makeId() };
  const article = addQuestion(message);
  ownQuestions.add(userMessageId);
  sending = true;
  showError('');
  ui.message.value = '';
  fitInput();
  refresh();
  socket.timeout(10000).emit('ai:chat:generate', request, (error, ack) => {
    sending = false;
    if (error)
      takeBack(article, message, 'Confab did not answer. Try again.');
    else if (!ack.ok)
      takeBack(article, message, ack.error);
    refresh();
  });
}

function stop() {
  for (const { generationId } of answers.values())
    socket.emit('ai:chat:stop', { moduleId, generationId });
}

ui.form.addEventListener('submit', (event) => {
  event.preventDefault();
  send();
  ui.message.focus();
});

ui.message.addEventListener('input', () => {
  fitInput();
  refresh();
});

/* Enter that confirms a word of an input method is not meant for the form. */
ui.message.addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    send();
  }
});

ui.stop.addEventListener('click', stop);
fitInput();
