import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { runOperation } from '../../src/engine/run-operation.js';
import { sh } from '../../src/hosts/shell.js';
import { drainOperation } from '../../src/kubernetes/drain.js';
import { clusterOf, hostOf } from '../support/cluster.js';
import { here } from '../support/here.js';
import { contextOf } from '../support/site.js';

const scratch = await mkdtemp(join(tmpdir(), 'kbs-drain-'));
afterAll(() => rm(scratch, { recursive: true }));

/** A program that answers as kubectl does, drains when `agrees` says so, and keeps a list of what it was told. */
const kubectl = async (folder: string, agrees: string): Promise<string> => {
  const path = join(folder, 'kubectl');
  await writeFile(
    path,
    `#!/bin/sh
case $* in
  'get node'*) echo node/n; exit ;;
  get*) echo '{"items":[]}'; exit ;;
esac
echo "$*" >> ${folder}/told
${agrees} || { echo 'it refuses' >&2; exit 1; }
`,
  );
  await chmod(path, 0o755);
  return path;
};

const told = async (folder: string): Promise<readonly string[]> =>
  (await readFile(join(folder, 'told'), 'utf8'))
    .trim()
    .split('\n')
    .map((line) => line.replace(/ --timeout=.*/, ''));

/** Drains with a kubectl that agrees to that only; gives what it was told. */
const draining = async (agrees: string, force: boolean, timeoutSeconds: number): Promise<readonly string[]> => {
  const folder = await mkdtemp(join(scratch, 'one-'));
  const apiHost = {
    at: hostOf({ name: 'cp', address: '192.0.2.1', segment: 's' }),
    host: here('cp'),
    kubectl: sh`${await kubectl(folder, agrees)}`,
  };
  await runOperation('n', drainOperation('n', apiHost, [], { timeoutSeconds, force }), {
    context: contextOf(clusterOf()),
    open: () => here('cp'),
    emit: () => {},
    signal: new AbortController().signal,
  });
  return told(folder);
};

const gently = 'drain n --ignore-daemonsets --delete-emptydir-data';
const always = 'true';
const atTheSecond = `[ "$(wc -l < "$(dirname "$0")/told")" = 2 ]`;
const pastBudgets = 'case $* in *--disable-eviction*) ;; *) false ;; esac';

it.concurrent.each([
  ['evicts', always, false, [gently]],
  ['evicts pods that are alone too, by force', always, true, [`${gently} --force`]],
  ['asks again where kubectl gives up early', atTheSecond, false, [gently, gently]],
  [
    'keeps budgets where kubectl gives up early, by force too',
    atTheSecond,
    true,
    [`${gently} --force`, `${gently} --force`],
  ],
])('%s', async (_, agrees, force, expected) => {
  expect(await draining(agrees, force, 60)).toEqual(expected);
});

it.concurrent('goes past budgets once the time is up, by force alone', async () => {
  const all = await draining(pastBudgets, true, 1);
  expect(all.at(-1)).toBe(`${gently} --force --disable-eviction`);
  expect(new Set(all.slice(0, -1))).toEqual(new Set([`${gently} --force`]));
  await expect(draining(pastBudgets, false, 1)).rejects.toMatchObject({ why: expect.arrayContaining(['it refuses']) });
});
