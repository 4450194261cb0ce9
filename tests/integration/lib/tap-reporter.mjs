// SPDX-License-Identifier: GPL-3.0-or-later
// Flat TAP of node:test's results, one point for each test that holds no other: Meson neither
// counts nor likes the nested points of node's own reporter. Every parent's name stands before its
// child's. Why a test failed goes to standard error, which Meson shows.

/* what node counts at the end, as Meson does itself */
const SUMMARY = /^(?:tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) /;

function clean(name) {
  return name.replace(/[#\r\n]+/g, ' ').trim();
}

function describe(error) {
  const cause = error?.cause ?? error;
  return cause?.stack ?? (typeof cause === 'string' ? cause : JSON.stringify(cause));
}

export default async function* report(source) {
  const names = [];
  /* by depth: whether a result came from below the test that is running there */
  const hadChild = [];
  let count = 0;

  yield 'TAP version 13\n';
  for await (const { type, data } of source) {
    if (type === 'test:start') {
      names[data.nesting] = clean(data.name);
      hadChild[data.nesting] = false;
    } else if (type === 'test:diagnostic' && !SUMMARY.test(data.message)) {
      process.stderr.write(`${data.message}\n`);
    } else if (type === 'test:pass' || type === 'test:fail') {
      const isLeaf = !hadChild[data.nesting];
      if (data.nesting > 0)
        hadChild[data.nesting - 1] = true;

      const error = data.details?.error;
      const failed = type === 'test:fail' && data.todo === undefined;
      /* a parent that failed by its children says nothing new */
      if (!isLeaf && (!failed || error?.failureType === 'subtestsFailed'))
        continue;

      const name = [...names.slice(0, data.nesting), clean(data.name)].join(' / ');
      const skip = data.skip === undefined ? '' : ` # SKIP ${data.skip === true ? '' : data.skip}`;
      count += 1;
      if (failed)
        process.stderr.write(`${name}:\n${describe(error)}\n`);
      yield `${failed ? 'not ok' : 'ok'} ${count} - ${name}${skip.trimEnd()}\n`;
    }
  }
  yield count > 0 ? `1..${count}\n` : 'Bail out! No test ran.\n';
}
