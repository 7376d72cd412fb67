import { expect, it } from 'vitest';
import { type Ended, ran, started } from './process.js';

const endings = new Map<string, Promise<Ended>>();

/** The fixture's `end`, run once for each way: a process costs more than all that is asked of it here. */
function end(...args: readonly string[]): Promise<Ended> {
  const known = endings.get(args.join(' ')) ?? ran(['end', ...args]);
  endings.set(args.join(' '), known);
  return known;
}

it.each([
  ['done', 0],
  ['refused', 6],
  ['inventory', 3],
  ['pending', 10],
  ['bug', 1],
  ['error', 1],
])('a command that ends as %s has status %i, with and without --json', async (way, code) => {
  const [text, json] = await Promise.all([end(way), end(way, '--json')]);
  expect([text.code, json.code]).toEqual([code, code]);
});

it('results go to stdout and messages to stderr', async () => {
  const { stdout, stderr } = await end('done');
  expect(stdout).toBe('result\n');
  expect(stderr).toBe('talk\n');
});

it('--json prints exactly one document: the result, or the error', async () => {
  const documents = await Promise.all(
    ['done', 'silent', 'pending', 'refused', 'inventory', 'bug'].map((way) => end(way, '--json')),
  );
  expect(documents.map(({ stdout }) => JSON.parse(stdout))).toEqual([
    { way: 'done' },
    {},
    { way: 'pending' },
    { error: expect.objectContaining({ code: 'refused', exit: 6, what: 'the image could not be imported' }) },
    { error: expect.objectContaining({ code: 'inventory', exit: 3, what: '2 problems' }) },
    { error: expect.objectContaining({ code: 'bug', exit: 1, what: 'undefined is not a function' }) },
  ]);
});

it('a failure says what, where, why and what to do next', async () => {
  const { stderr } = await end('refused');
  expect(stderr).toBe(`talk
Error: the image could not be imported
  at worker-00 · images · image kube-proxy
  | ctr: no space left on device
  → make room under /var/lib/containerd
`);
});

it('a mistake in kbs is called one, and shows its stack only where more is asked for', async () => {
  const [quiet, verbose] = await Promise.all([end('bug'), end('bug', '-v')]);
  expect(quiet.stderr).toContain('a mistake in kbs');
  expect(quiet.stderr).not.toContain('at End.run');
  expect(verbose.stderr).toContain('at End.run');
});

it.each([
  [['end'], 'Missing 1 required arg'],
  [['end', 'done', '--nonsense'], 'Nonexistent flag: --nonsense'],
  [['flags', '--timeout', 'soon'], 'soon is no time'],
  [['flags', '-o', 'xml'], 'yaml, text'],
  [['values', 'nothere.json'], 'No file found at nothere.json'],
  [['values', '/dev/null'], 'exists but is not a file'],
  [['values', process.execPath, 'abc'], 'Expected an integer but received: abc'],
])('%j is wrong usage: status 2', async (args, words) => {
  const { code, stdout } = await ran([...args, '--json']);
  expect(code).toBe(2);
  expect(JSON.parse(stdout).error).toMatchObject({
    code: 'usage',
    what: expect.stringContaining(words),
    failures: [{ next: `see fixture ${args[0]} --help` }],
  });
});

it('wrong usage without --json is status 2 too, with the same words', async () => {
  const { code, stderr } = await ran(['flags', '--timeout', 'soon']);
  expect(code).toBe(2);
  expect(stderr).toContain('soon is no time');
  expect(stderr).toContain('see fixture flags --help');
});

it('flags mean the same everywhere', async () => {
  const args = [
    '--limit',
    'a,b',
    '--limit',
    'c',
    '--from',
    'images',
    '--timeout',
    '5m',
    '-y',
    '-o',
    'yaml',
    '--dry-run',
  ];
  const { stdout } = await ran(['flags', ...args, '--json'], { KBS_INVENTORY: 'lab.yaml' });
  expect(JSON.parse(stdout)).toMatchObject({
    inventory: 'lab.yaml',
    limit: ['a', 'b', 'c'],
    from: 'images',
    timeout: 300_000,
    yes: true,
    output: 'yaml',
    'dry-run': true,
  });
});

it('the inventory is ./kbs.yaml where neither a flag nor KBS_INVENTORY names one', async () => {
  const { KBS_INVENTORY: _set, ...env } = process.env;
  const { stdout } = await ran(['flags', '--json'], { ...env, KBS_INVENTORY: undefined });
  expect(JSON.parse(stdout).inventory).toBe('./kbs.yaml');
});

it('without a terminal and without --yes a change is refused', async () => {
  const [refused, agreed] = await Promise.all([ran(['ask']), ran(['ask', '--yes'])]);
  expect([refused.code, refused.stdout]).toEqual([2, '']);
  expect(refused.stderr).toContain('--yes');
  expect([agreed.code, agreed.stdout]).toEqual([0, 'changed\n']);
});

it.each(['SIGINT', 'SIGTERM'] as const)('%s stops a command with status 130 and says that it is safe', async (name) => {
  const { child, ended, said } = started(['wait']);
  await said('waiting');
  child.kill(name);
  const { code, stderr } = await ended;
  expect(code).toBe(130);
  expect(stderr).toContain('safe to run the same command again');
});

it('an interrupted command still prints one document', async () => {
  const { child, ended, said } = started(['wait', '--json']);
  await said('waiting');
  child.kill('SIGINT');
  expect(JSON.parse((await ended).stdout).error).toMatchObject({ code: 'interrupted', exit: 130 });
});

it('the second Ctrl-C ends a command that ignores the first', async () => {
  const { child, ended, said } = started(['wait', 'ignore']);
  await said('waiting');
  child.kill('SIGINT');
  await said('Stopping');
  child.kill('SIGINT');
  expect((await ended).code).toBe(130);
});

it('a reader that closes the pipe early is no error', async () => {
  const { child, ended } = started(['end', 'done']);
  child.stdout?.destroy();
  const { code, stderr } = await ended;
  expect([code, stderr]).toEqual([0, 'talk\n']);
});
