import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { failuresIn } from '../../src/failure.js';
import { resolveJoinTargets } from '../../src/workflows/join-targets.js';

let folder: string;
let file: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'kbs-join-'));
  file = join(folder, 'kbs.yaml');
  writeFileSync(
    file,
    `apiVersion: kbs/v1
cluster: small
kubernetes: { version: 1.36.3 }
network:
  segments:
    lan: { cidr: 192.0.2.0/24, gateway: 192.0.2.1 }
hosts:
  c0: { address: 192.0.2.10, roles: [control-plane] }
  w0: { address: 192.0.2.20, roles: [worker] }
  w1: { address: 192.0.2.21, roles: [worker] }
`,
  );
});
afterAll(() => rmSync(folder, { recursive: true }));

test.each<[string, readonly string[], readonly string[] | undefined, readonly string[]]>([
  ['all workers, where none is named', [], undefined, ['w0', 'w1']],
  ['those named', ['w1'], undefined, ['w1']],
  ['of all workers those within the limit', [], ['w0', 'c0'], ['w0']],
  ['of those named those within the limit', ['w0', 'w1'], ['w1'], ['w1']],
  ['a host that is new, within the limit', ['w2=root@192.0.2.22', 'w0'], ['w2'], ['w2']],
])('it is %s that join', async (_, words, limit, expected) => {
  expect((await resolveJoinTargets(file, words, limit)).joining).toEqual(expected);
});

test.each<[string, readonly string[], readonly string[], string]>([
  ['a limit with an unknown name', [], ['w0', 'W1'], 'the inventory has no worker W1'],
  ['a limit without those named', ['w0'], ['w1'], 'no worker is left to join: --limit w1 names none of them'],
  ['a limit without workers', [], ['c0'], 'no worker is left to join: --limit c0 names none of them'],
])('%s is refused instead of joining no host', async (_, words, limit, what) => {
  await expect(resolveJoinTargets(file, words, limit)).rejects.toMatchObject({ code: 'usage', message: what });
});

test('labels and taints go to the hosts that are named, new ones too, and into no file yet', async () => {
  const marks = { labels: ['tier=gold', 'example.com/empty='], taints: ['gpu:NoSchedule'] };
  const { loaded } = await resolveJoinTargets(file, ['w1', 'w2=root@192.0.2.22'], undefined, marks);
  const marked = loaded.cluster.hosts.filter(({ taints }) => taints.includes('gpu:NoSchedule'));
  expect(marked.map(({ name, labels }) => [name, labels.tier, labels['example.com/empty']])).toEqual([
    ['w1', 'gold', ''],
    ['w2', 'gold', ''],
  ]);
  expect(loaded.onDisk).not.toContain('gold');
  expect(loaded.unsaved).toContain('w1: { address: 192.0.2.21, roles: [worker], labels: { tier: gold,');
});

test.each<[string, readonly string[], readonly string[], readonly string[], readonly string[]]>([
  ['a label without a value', ['w0'], ['tier'], [], ['--label tier is not KEY=VALUE']],
  [
    'several that are malformed',
    ['w0'],
    ['-a=b', 'a=b c'],
    ['a=b:Never'],
    [
      '--label -a=b: -a is not a label key; write one like example.com/tier',
      '--label a=b c: b c is not a label value; write one like training',
      '--taint a=b:Never is not a taint; write key=value:Effect or key:Effect; effects are NoSchedule, PreferNoSchedule and NoExecute',
    ],
  ],
  ['no host', [], ['a=b'], [], ['--label and --taint need the names of the hosts that they are for']],
])('of labels and taints, %s is refused', async (_, words, labels, taints, expected) => {
  const error: unknown = await resolveJoinTargets(file, words, undefined, { labels, taints }).catch((thrown) => thrown);
  expect(failuresIn(error).map(({ code, message }) => [code, message])).toEqual(
    expected.map((message) => ['usage', message]),
  );
});
