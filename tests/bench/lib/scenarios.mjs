// SPDX-License-Identifier: GPL-3.0-or-later
// What is measured. Each scenario gets a fresh server and returns its figures by name. `targets`
// are the ratios to the Node peer that Confab is to stay under.
import { countFds, memoryOf, sleep, waitFor } from '../../integration/lib/process.mjs';
import { Load, Server } from './servers.mjs';
import { startTlsProxy } from './tls-proxy.mjs';
import { percentile } from './statistics.mjs';

const SETTLE_MS = 3000;
const WARM_UP_MS = 2000;
const WINDOW_MS = 10000;
/* a stream goes on longer than it is watched */
const SLACK_MS = 3000;

const MEGA = 1e6;

async function holdIdle(server, count) {
  const before = await server.cpuTimes();
  const load = new Load('idle.mjs', server.port, count);
  const [, opened, ms] = /^opened (\d+) in (\d+) ms$/.exec(await load.line()) ?? [];
  if (Number(opened) !== count)
    throw new Error(`only ${opened} of ${count} connections opened:\n${load.child.stderr}`);
  const { user, kernel } = await server.cpuTimes();
  const inKernel = kernel - before.kernel;
  return { load, ms: Number(ms), inKernel, cpu: user - before.user + inKernel };
}

async function startStreams(server, spec, port = server.port) {
  const load = new Load('streams.mjs', port, JSON.stringify(spec));
  const line = await load.line();
  if (line !== 'ready')
    throw new Error(line);
  return load;
}

/* What durability costs, apart from what the main thread does to hand work over: the store does all
 * else in a thread of its own. The peers keep nothing. */
const STORE_THREAD = 'confab-store';
const storeTime = (server) => server.cpuTimeOfThreads(STORE_THREAD);

const perToken = (cpu, tokens) => (cpu * 1000) / tokens;

/* Streams at a steady pace, watched for a while after they have warmed up. */
async function watchPaced(server, spec, rate, port) {
  const tokens = Math.ceil((rate * (WARM_UP_MS + WINDOW_MS + SLACK_MS)) / 1000);
  const load = await startStreams(server, { ...spec, message: `paced ${rate} ${tokens}` }, port);
  load.say('go');
  await sleep(WARM_UP_MS);
  const begun = await load.ask('count');
  const before = await server.cpuTimes();
  const storeBefore = await storeTime(server);
  await sleep(WINDOW_MS);
  const { user, kernel } = await server.cpuTimes();
  const inKernel = kernel - before.kernel;
  const cpu = user - before.user + inKernel;
  const storeCpu = await storeTime(server) - storeBefore;
  const seen = await load.ask('count');
  await load.end();
  return { cpu, inKernel, storeCpu, ...seen, ttft50: begun.ttft50, ttft99: begun.ttft99 };
}

function describePaced({ cpu, inKernel, storeCpu, tokens, frames, p50, p99, ttft50 }) {
  return {
    'CPU per token, µs': perToken(cpu, tokens),
    '– of which in the kernel, µs': perToken(inKernel, tokens),
    '– of which the store, µs': perToken(storeCpu, tokens),
    'added latency p50, ms': p50,
    'added latency p99, ms': p99,
    'time to first token p50, ms': ttft50,
    'frames per token': frames / tokens,
    'tokens/s': (tokens * 1000) / WINDOW_MS,
  };
}

const pacedTargets = {
  'CPU per token, µs': 0.45, 'added latency p50, ms': 0.7, 'added latency p99, ms': 0.15,
  'time to first token p50, ms': 0.33,
};

function paced(connections) {
  const clients = 100;
  const rate = 50;
  return {
    name: `paced-${connections}`,
    title: `${clients} streams of ${rate} tokens/s among ${connections} connections`,
    targets: pacedTargets,
    async run(server) {
      const idle = connections > clients ? await holdIdle(server, connections - clients) : null;
      const watched = await watchPaced(server, { clients }, rate);
      await idle?.load.end();
      return { ...describePaced(watched), 'time to first token p99, ms': watched.ttft99 };
    },
  };
}

const burst = {
  name: 'burst',
  title: '20 clients, 20 full-speed answers of 2,000 tokens each',
  targets: { 'CPU per token, µs': 0.25 },
  async run(server) {
    const load = await startStreams(server, { clients: 20, streams: 20, message: 'burst 2000' });
    const before = await server.cpuTime();
    const storeBefore = await storeTime(server);
    const begin = performance.now();
    load.say('go');
    load.say('wait');
    await load.line();
    const ms = performance.now() - begin;
    const cpu = await server.cpuTime() - before;
    const storeCpu = await storeTime(server) - storeBefore;
    const { tokens, frames, ttft50 } = await load.ask('count');
    await load.end();
    return {
      'CPU per token, µs': perToken(cpu, tokens),
      '– of which the store, µs': perToken(storeCpu, tokens),
      'tokens/s': (tokens * 1000) / ms,
      'time to first token p50, ms': ttft50,
      'frames per token': frames / tokens,
      tokens,
    };
  },
};

const fanOut = {
  name: 'fan-out',
  title: 'one stream of 20 tokens/s to 1,000 followers',
  targets: { 'CPU per frame, µs': 0.4 },
  async run(server) {
    const { cpu, inKernel, frames, p50, p99 } =
      await watchPaced(server, { clients: 1, followers: 1000 }, 20);
    return {
      'CPU per frame, µs': perToken(cpu, frames),
      '– of which in the kernel, µs': perToken(inKernel, frames),
      'added latency p50, ms': p50,
      'added latency p99, ms': p99,
      'frames/s': (frames * 1000) / WINDOW_MS,
    };
  },
};

const RAMP = [1, 10, 100, 200, 400, 700, 1000];

const ramp = {
  name: 'ramp',
  title: '1 to 1,000 streams of 10 tokens/s',
  targets: {},
  async run(server) {
    const figures = {};
    for (const clients of RAMP) {
      const { cpu, tokens, p99 } = await watchPaced(server,
        { clients, modules: `ramp-${clients}` }, 10);
      figures[`${clients} streams: CPU, %`] = (cpu * 100) / WINDOW_MS;
      figures[`${clients} streams: CPU per token, µs`] = perToken(cpu, tokens);
      figures[`${clients} streams: added latency p99, ms`] = p99;
    }
    return figures;
  },
};

const polling = {
  name: 'polling',
  title: '50 streams of 10 tokens/s to clients that poll',
  targets: {},
  run: async (server) => describePaced(
    await watchPaced(server, { clients: 50, kind: 'polling' }, 10)),
};

const tls = {
  name: 'tls',
  title: '100 streams of 50 tokens/s through TLS of a local nginx',
  targets: {},
  async run(server) {
    const proxy = await startTlsProxy(server.port);
    try {
      return describePaced(
        await watchPaced(server, { clients: 100, kind: 'tls' }, 50, proxy.port));
    } finally {
      await proxy.end();
    }
  },
};

const memory = {
  name: 'memory',
  title: 'memory, and 10,000 idle connections',
  targets: {
    'idle: VmRSS, MB': 0.2, 'with the connections: VmRSS, MB': 0.28, 'CPU of connecting, ms': 0.35,
  },
  async run(server) {
    const connections = 10000;
    await sleep(SETTLE_MS);
    const idle = await memoryOf(server.pid);
    const idleFds = await countFds(server.pid);

    const { load, ms, cpu, inKernel } = await holdIdle(server, connections);
    await sleep(SETTLE_MS);
    const busy = await memoryOf(server.pid);
    if (load.child.stdout.includes('lost'))
      throw new Error(`${server.name} dropped connections:\n${load.child.stdout}`);

    await load.end();
    await waitFor(async () => await countFds(server.pid) < idleFds + connections / 100, {
      timeout: 30000, interval: 100, what: `${server.name} lets go of its connections`,
    });
    await sleep(SETTLE_MS);
    const after = await memoryOf(server.pid);
    return {
      'idle: VmRSS, MB': idle.rss / MEGA,
      'idle: Pss, MB': idle.pss / MEGA,
      'time of connecting, ms': ms,
      'CPU of connecting, ms': cpu,
      '– of which in the kernel, ms': inKernel,
      'with the connections: VmRSS, MB': busy.rss / MEGA,
      'each connection, KB': (busy.rss - idle.rss) / connections / 1000,
      'after they left: VmRSS, MB': after.rss / MEGA,
      'descriptors left over': await countFds(server.pid) - idleFds,
    };
  },
};

const start = {
  name: 'start',
  title: 'from exec to the answer to a first request',
  targets: { 'answered, ms': 0.2 },
  async run(server, baseUrl) {
    const times = [server.startTime];
    for (let i = 1; i < 5; i += 1) {
      const other = await Server.start(server.name, baseUrl);
      times.push(other.startTime);
      await other.stop();
    }
    return { 'answered, ms': Math.min(...times) };
  },
};

/* The peers keep nothing, so that there is nothing to compare with. */
function history(name, modules, questions) {
  return {
    name,
    title: `${modules * questions * 2} messages in modules: ${modules}`,
    alone: true,
    targets: { 'exec to first answer, ms': 200, 'page of 50, p99, ms': 20 },
    async run(server, baseUrl) {
      const load = await startStreams(server,
        { clients: modules, streams: questions, message: 'burst 20', oneModule: true });
      load.say('go');
      load.say('wait');
      await load.line();
      await load.end();
      const again = await server.restart(baseUrl);

      const times = [];
      for (let module = 0; module < modules; module += 1) {
        let before;
        for (let more = true; more;) {
          const begin = performance.now();
          const page = await again.call('ai:chat:history',
            { moduleId: `bench-${module + 1}`, before, limit: 50 });
          times.push(performance.now() - begin);
          before = page.messages[0].messageId;
          more = page.more;
        }
      }
      const begin = performance.now();
      await again.call('ai:chat:search', { query: 'burst', limit: 50 });
      const searched = performance.now() - begin;
      await again.stop();
      return {
        'exec to first answer, ms': again.startTime,
        'page of 50, p50, ms': percentile(times, 50),
        'page of 50, p99, ms': percentile(times, 99),
        'pages': times.length,
        'search that hits half of all, ms': searched,
      };
    },
  };
}

export const scenarios = [start, memory, paced(100), paced(5000), paced(10000), burst, fanOut,
  ramp, polling, tls, history('history', 10, 500), history('history-2000', 1, 1000)];
