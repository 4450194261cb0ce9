// SPDX-License-Identifier: GPL-3.0-or-later
// bench.mjs [--rounds N] [--python] [--in-memory] [--plots DIR] [SCENARIO…]:
// measures the confabd that CONFABD names and its peers in turn (A B A B), each scenario on fresh
// servers, and prints medians and ratios; with DIR, draws them too.
import { mkdir, writeFile } from 'node:fs/promises';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { drawBars } from './lib/plot.mjs';
import { scenarios } from './lib/scenarios.mjs';
import { Server, startUpstream } from './lib/servers.mjs';
import { formatTable, median, show } from './lib/statistics.mjs';

const { values: options, positionals } = parseArgs({
  options: {
    rounds: { type: 'string', default: '2' },
    python: { type: 'boolean', default: false },
    'in-memory': { type: 'boolean', default: false },
    plots: { type: 'string' },
  },
  allowPositionals: true,
});
const rounds = Number(options.rounds);
const peers = ['node', ...['python', 'in-memory'].filter((name) => options[name])];
const unknown = positionals.filter((name) => !scenarios.some((known) => known.name === name));
if (unknown.length > 0 || !(rounds >= 1)) {
  console.error(`Scenarios: ${scenarios.map(({ name }) => name).join(', ')}`);
  process.exit(2);
}

async function measure(scenario, name) {
  const upstream = await startUpstream();
  const baseUrl = `http://127.0.0.1:${upstream.port}/v1`;
  const server = await Server.start(name, baseUrl);
  try {
    return await scenario.run(server, baseUrl);
  } finally {
    await server.stop();
    await upstream.child.end();
  }
}

/* `figures`: {subject: [{figure: value} of each round]} → [{what, medians, ratio, target, met}].
 * Targets are ratios to the Node peer, or where there is none, the most that it may be. */
function compare(scenario, figures) {
  return Object.keys(figures.confabd[0]).map((what) => {
    const medians = Object.fromEntries(Object.keys(figures).map((name) =>
      [name, median(figures[name].map((round) => round[what]))]));
    const ratio = scenario.alone || medians.node === 0 ? null : medians.confabd / medians.node;
    const target = scenario.targets[what];
    const value = scenario.alone ? medians.confabd : ratio;
    /* what was not measured has not met its target, though null would be below any */
    const met = medians.confabd !== null && Number.isFinite(value) && value <= target;
    return { what, medians, ratio, target, met };
  });
}

function print(scenario, figures, rows) {
  const names = Object.keys(figures);
  const each = (what, name) => figures[name].map((round) => show(round[what])).join(' ');
  const table = [
    [scenario.title, ...names, 'ratio', 'target', '', ...names.map((name) => `${name} each`)],
    ...rows.map(({ what, medians, ratio, target, met }) => [what,
      ...names.map((name) => show(medians[name])), show(ratio),
      target === undefined ? '' : `≤ ${target}`, target === undefined ? '' : met ? 'met' : 'MISSED',
      ...names.map((name) => each(what, name))]),
  ];
  console.log(`\n${formatTable(table).join('\n')}`);
}

console.log(`${new Date().toISOString().slice(0, 10)}, ${cpus().length} × ${cpus()[0].model}, `
  + `Node ${process.version}, ${rounds} rounds, load ${loadavg()[0].toFixed(1)} before`);
for (const scenario of scenarios) {
  if (positionals.length > 0 && !positionals.includes(scenario.name))
    continue;
  const names = ['confabd', ...(scenario.alone ? [] : peers)];
  const figures = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = 0; round < rounds; round += 1)
    for (const name of names)
      figures[name].push(await measure(scenario, name));
  const rows = compare(scenario, figures);
  print(scenario, figures, rows);
  if (options.plots) {
    await mkdir(options.plots, { recursive: true });
    await writeFile(join(options.plots, `${scenario.name}.svg`),
      drawBars(scenario, figures, rows));
  }
}
