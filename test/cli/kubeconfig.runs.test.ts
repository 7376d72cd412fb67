import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { kbsIn } from './process.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Nothing of it reaches a host: the inventory's addresses are those of examples. */
const kbs = (words: string) => kbsIn(root, [...words.split(' '), '-i', 'inventories/single.yaml']);

it.each([
  ['kubeconfig work.conf', 'work.conf is a file to merge into'],
  ['kubeconfig --role edit', 'must be provided when using --role: --user'],
  ['kubeconfig --merge -o a.conf', '--merge=true cannot also be provided when using --output'],
  ['kubeconfig --user anna --role cluster-admin --yes', 'to be one of: view, edit, admin'],
  ['kubeconfig --user anna --expires 10y --yes', '10y is no lifetime'],
  ['kubeconfig --user Anna --yes', 'Anna is not a name for a user'],
  ['kubeconfig --user anna --group system:masters --yes', 'group system:masters is not given to people'],
  ['kubeconfig --user anna', 'this command asks before it changes anything'],
  ['users remove anna', 'this command asks before it changes anything'],
  ['proxy --port 70000', 'Expected an integer less than or equal to 65535'],
])('kbs %s is wrong usage', (words, message) => {
  const { code, stderr, stdout } = kbs(words);
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toContain(message);
});
