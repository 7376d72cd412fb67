import { expect, it } from 'vitest';
import { ran } from './process.js';

it.each([
  [['falgs'], ['there is no command falgs', 'did you mean fixture flags?']],
  [
    ['flags', 'prod.yaml'],
    ['fixture flags takes no argument: prod.yaml', 'named with -i: fixture flags -i prod.yaml'],
  ],
  [
    ['ask', 'prod.yaml'],
    ['fixture ask takes no argument: prod.yaml', 'see fixture ask --help'],
  ],
  [
    ['flags', 'worker-00'],
    ['fixture flags takes no argument: worker-00', 'see fixture flags --help'],
  ],
  [
    ['upgrade', '--to'],
    ['fixture upgrade is planned and not built yet', 'what there is: fixture --help'],
  ],
  [
    ['certs', 'renew'],
    ['fixture certs is planned and not built yet', 'what there is: fixture --help'],
  ],
  [
    ['inventory', 'migrate'],
    ['fixture inventory migrate is planned', 'what there is: fixture --help'],
  ],
])('%j is wrong usage, and the answer says what to type instead', async (args, words) => {
  const { code, stdout } = await ran([...args, '--json']);
  const { error } = JSON.parse(stdout);
  expect([code, error.code]).toEqual([2, 'usage']);
  for (const each of words) expect(`${error.what}\n${error.failures[0].next}`).toContain(each);
});

it('the same is said in plain words', async () => {
  const { code, stderr } = await ran(['flags', 'prod.yaml']);
  expect(code).toBe(2);
  expect(stderr).toBe(
    'Error: fixture flags takes no argument: prod.yaml\n  → an inventory is named with -i: fixture flags -i prod.yaml\n',
  );
});
