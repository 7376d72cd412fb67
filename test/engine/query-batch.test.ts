import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { queryAll } from '../../src/engine/query-batch.js';
import type { Observer } from '../../src/hosts/host.js';
import { sh } from '../../src/hosts/shell.js';
import { here } from '../support/here.js';
import { asScript } from '../support/script.js';

const ask = async (...texts: string[]) => {
  const scripts = texts.map(asScript);
  const results = await queryAll(
    here(),
    [],
    scripts.map((script) => ({ name: script, script })),
  );
  return scripts.map((script) => results.get(script));
};

test('many queries are one command', async () => {
  let commands = 0;
  const host = here();
  const counting: Observer = {
    name: host.name,
    query: (query) => {
      commands++;
      return host.query(query);
    },
  };
  const queries = Array.from({ length: 40 }, (_, n) => ({ name: `${n}`, script: sh`echo ${n}` }));
  const results = await queryAll(counting, [], queries);
  expect(commands).toBe(1);
  expect(queries.map(({ script }) => results.get(script)?.output)).toEqual(queries.map(({ name }) => name));
});

test('a query that fails does not end the others, and its exit status is returned', async () => {
  expect(await ask('echo a; false; echo never', 'echo b', 'exit 7', 'echo c')).toEqual([
    { code: 1, output: 'a' },
    { code: 0, output: 'b' },
    { code: 7, output: '' },
    { code: 0, output: 'c' },
  ]);
});

test.each([
  ['several lines', "printf 'one\\ntwo\\n'", 'one\ntwo'],
  ['no output', ':', ''],
  ['quotes and dollars', `printf '%s' '$HOME "x"'`, '$HOME "x"'],
  ['an unset variable is an error of its own', 'echo "$never_set"', ''],
])('a result with %s', async (_, script, output) => {
  expect((await ask(script))[0]?.output).toBe(output);
});

test('a prelude runs once and its variables reach all queries', async () => {
  const results = await queryAll(
    here(),
    [sh`shared=$(date +%N)`, sh`shared=$(date +%N)`],
    [
      { name: 'a', script: sh`echo "$shared"` },
      { name: 'b', script: sh`echo "$shared" ` },
    ],
  );
  expect(results.get('echo "$shared"')?.output).toMatch(/^\d+$/);
  expect(results.get('echo "$shared"')?.output).toBe(results.get('echo "$shared" ')?.output);
});

test('a look that ends early names the question that ended it', async () => {
  const half: Observer = { name: 'web', query: async () => ({ code: 1, stdout: '\x1e0\nfine', stderr: 'killed\n' }) };
  const looking = queryAll(
    half,
    [],
    [
      { name: 'one', script: sh`a` },
      { name: 'file /etc/two', script: sh`b` },
    ],
  );
  await expect(looking).rejects.toMatchObject({
    code: 'refused',
    where: { host: 'web', resource: 'file /etc/two' },
    why: ['killed'],
  });
});

test('queries that call the API server run while the others do, whatever they print or read', async () => {
  const flag = join(mkdtempSync(join(tmpdir(), 'kbs-batch-')), 'flag');
  const queries = [
    {
      name: 'api',
      script: sh`until [ -e ${flag} ]; do sleep 0.02; done; head -c 200000 /dev/zero | tr '\\0' x`,
      callsApi: true,
    },
    { name: 'reader', script: sh`cat; echo read` },
    { name: 'host', script: sh`touch ${flag}; exit 3` },
    { name: 'second of the API', script: sh`cat; exit 4`, callsApi: true },
  ] as const;
  const results = await queryAll(here(), [], queries);
  rmSync(dirname(flag), { recursive: true });
  expect(queries.map(({ script }) => results.get(script))).toEqual([
    { code: 0, output: 'x'.repeat(200_000) },
    { code: 0, output: 'read' },
    { code: 3, output: '' },
    { code: 4, output: '' },
  ]);
});
