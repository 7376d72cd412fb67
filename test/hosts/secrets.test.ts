import { expect, test } from 'vitest';
import { operatorSecrets } from '../../src/hosts/secrets.js';
import { Secret } from '../../src/secret.js';

test('a question is asked once, however many need the answer', async () => {
  const asked: string[] = [];
  const secrets = operatorSecrets(async (question) => {
    asked.push(question);
    return new Secret('open');
  }, {});
  const answers = await Promise.all([
    secrets.get('passphrase', '/key'),
    secrets.get('passphrase', '/key'),
    secrets.get('sudo', 'ops'),
    secrets.get('login', 'ops'),
  ]);
  expect(answers.map((answer) => answer?.reveal())).toEqual(['open', 'open', 'open', 'open']);
  expect(asked).toEqual(['Passphrase of /key: ', 'sudo password of ops: ', 'SSH password of ops: ']);
});

test('questions wait for each other', async () => {
  let open = 0;
  const secrets = operatorSecrets(async () => {
    expect(++open).toBe(1);
    await new Promise((resolve) => setImmediate(resolve));
    open--;
    return undefined;
  }, {});
  await Promise.all(['one', 'two', 'three'].map((path) => secrets.get('passphrase', path)));
});

test.each([
  ['KBS_SSH_PASSPHRASE', 'passphrase'],
  ['KBS_SSH_PASSWORD', 'login'],
  ['KBS_SUDO_PASSWORD', 'sudo'],
] as const)('%s answers without a question', async (variable, kind) => {
  const refuse = async () => Promise.reject(new Error('it asked'));
  const secrets = operatorSecrets(refuse, { [variable]: 'open' });
  expect((await secrets.get(kind, 'ops'))?.reveal()).toBe('open');
  await expect(operatorSecrets(refuse, { [variable]: '' }).get(kind, 'ops')).rejects.toThrow('it asked');
});

test('a password that one host refused is given to no other', async () => {
  const secrets = operatorSecrets(async () => undefined, {});
  const password = new Secret('wrong');
  let tries = 0;
  const host = () =>
    secrets.prove(password, async () => {
      tries++;
      return false;
    });
  expect(await Promise.all([host(), host(), host()])).toEqual(['refused', 'refused elsewhere', 'refused elsewhere']);
  expect(tries).toBe(1);
});

test('a host that says nothing of a password does not keep it from others', async () => {
  const secrets = operatorSecrets(async () => undefined, {});
  const password = new Secret('right');
  const lost = secrets.prove(password, async () => Promise.reject(new Error('lost')));
  const good = secrets.prove(password, async () => true);
  await expect(lost).rejects.toThrow('lost');
  expect(await good).toBe('taken');
});

test('what was neither given nor asked is not known', async () => {
  const secrets = operatorSecrets(async () => new Secret('open'), {});
  expect(secrets.known('passphrase', '/key')).toBeUndefined();
  await secrets.get('passphrase', '/key');
  expect((await secrets.known('passphrase', '/key'))?.reveal()).toBe('open');
  expect(secrets.known('passphrase', '/other')).toBeUndefined();
});
