import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { drain } from '../../src/workflows/remove-drain.js';
import { hostOf } from '../support/cluster.js';
import { here } from '../support/here.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kbs-drain-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** A program that answers as kubectl does, drains when `agrees` says so, and keeps a list of what it was told. */
const kubectl = async (agrees: string): Promise<string> => {
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

const told = async (): Promise<readonly string[]> =>
  (await readFile(join(folder, 'told'), 'utf8'))
    .trim()
    .split('\n')
    .map((line) => line.replace(/ --timeout=.*/, ''));

const draining = async (agrees: string, force: boolean, patience: number) =>
  drain({
    node: 'n',
    phase: 'drain',
    speaker: {
      at: hostOf({ name: 'cp', address: '192.0.2.1', segment: 's' }),
      host: here('cp'),
      kubectl: await kubectl(agrees),
    },
    emit: () => {},
    signal: new AbortController().signal,
    patience,
    force,
  });

const gently = 'drain n --ignore-daemonsets --delete-emptydir-data';
const always = 'true';
const atTheSecond = `[ "$(wc -l < "$(dirname "$0")/told")" = 2 ]`;
const pastBudgets = 'case $* in *--disable-eviction*) ;; *) false ;; esac';

it.each([
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
  await draining(agrees, force, 60);
  expect(await told()).toEqual(expected);
});

it('goes past budgets once the time is up, by force alone', async () => {
  await draining(pastBudgets, true, 1);
  const all = await told();
  expect(all.at(-1)).toBe(`${gently} --force --disable-eviction`);
  expect(new Set(all.slice(0, -1))).toEqual(new Set([`${gently} --force`]));
  await expect(draining(pastBudgets, false, 1)).rejects.toMatchObject({ code: 'timeout', why: ['it refuses'] });
});
