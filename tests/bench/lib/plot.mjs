// SPDX-License-Identifier: GPL-3.0-or-later
// Draws the figures of a scenario: for each a bar of every subject, as a share of the largest, with
// the value of each round as a mark on it.
import { show } from './statistics.mjs';

const COLOURS = { confabd: '#1c71d8', node: '#5e5c64', python: '#c64600' };
const WIDTH = 760;
const LEFT = 260;
const RIGHT = 90;
const TOP = 56;
const BAR = 16;
const GAP = 14;

const escape = (text) => text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);

function text(x, y, content, attributes = '') {
  return `<text x="${x}" y="${y}" ${attributes}>${escape(content)}</text>`;
}

function drawFigure(what, figures, medians, top) {
  const names = Object.keys(figures);
  const rounds = names.map((name) => figures[name].map((round) => round[what]));
  const largest = Math.max(...rounds.flat(), Number.MIN_VALUE);
  const scale = (value) => (Math.max(value, 0) / largest) * (WIDTH - LEFT - RIGHT);
  const parts = [text(LEFT - 10, top + (names.length * BAR) / 2 + 4, what, 'text-anchor="end"')];
  names.forEach((name, i) => {
    const y = top + i * BAR;
    const width = scale(medians[name]);
    parts.push(`<rect x="${LEFT}" y="${y + 1}" width="${width.toFixed(1)}" height="${BAR - 3}" `
      + `fill="${COLOURS[name]}"/>`);
    for (const value of rounds[i]) {
      const x = (LEFT + scale(value)).toFixed(1);
      parts.push(`<line x1="${x}" x2="${x}" y1="${y + 1}" y2="${y + BAR - 2}" stroke="#000" `
        + 'stroke-opacity="0.5"/>');
    }
    const end = LEFT + scale(Math.max(medians[name], ...rounds[i])) + 6;
    parts.push(text(end.toFixed(1), y + BAR - 4, show(medians[name])));
  });
  return parts;
}

/** An SVG; arguments as bench.mjs has them. */
export function drawBars(scenario, figures, rows) {
  const names = Object.keys(figures);
  const step = names.length * BAR + GAP;
  const height = TOP + rows.length * step;
  const legend = names.map((name, i) => `<rect x="${LEFT + i * 110}" y="32" width="11" height="11" `
    + `fill="${COLOURS[name]}"/>${text(LEFT + i * 110 + 16, 42, name)}`);
  const bars = rows.flatMap(({ what, medians }, i) =>
    drawFigure(what, figures, medians, TOP + i * step));
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" `
    + `viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12">\n`
    + `<rect width="${WIDTH}" height="${height}" fill="#fff"/>\n`
    + `${text(12, 20, scenario.title, 'font-weight="bold" font-size="14"')}\n`
    + `${[...legend, ...bars].join('\n')}\n</svg>\n`;
}
