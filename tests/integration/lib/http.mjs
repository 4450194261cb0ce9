// SPDX-License-Identifier: GPL-3.0-or-later
// Requests exactly as a test says them.
import { request } from 'node:http';

/**
 * Sends one request.
 *
 * @param {object} where `{port, host?}` or `{socketPath}`
 * @param {object} options `path`, `method`, `headers` (a Host of null leaves it out), `body`
 * @returns {Promise<{status, headers, text}>} an answer, or a 101 with the connection closed
 */
export function fetchFrom(where, { path = '/', method = 'GET', headers = {}, body } = {}) {
  const setHost = headers.Host === undefined;
  const sent = Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== null));
  return new Promise((resolve, reject) => {
    const outgoing = request({
      ...('port' in where ? { host: where.host ?? '127.0.0.1', port: where.port } : where),
      path, method, headers: sent, setHost, agent: false, timeout: 10000,
    }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece) => { text += piece; });
      response.on('end', () => resolve({
        status: response.statusCode, headers: response.headers, text,
        get json() { return JSON.parse(text); },
      }));
    });
    outgoing.on('upgrade', (response, socket) => {
      socket.destroy();
      resolve({ status: 101, headers: response.headers, text: '' });
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** Headers that ask for a WebSocket. */
export const UPGRADE = {
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
};
