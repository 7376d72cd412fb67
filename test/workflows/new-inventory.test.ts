import { expect, it, test } from 'vitest';
import { parse } from 'yaml';
import { failuresIn } from '../../src/failure.js';
import { askInventory, type Dialogue, type GivenAnswers } from '../../src/workflows/new-inventory.js';

const around = { own: ['192.168.5.7/22', '172.17.0.1/16'] };

/** Answers the questions in their order, and keeps what was asked and said. */
const scripted = (...answers: readonly string[]): Dialogue & { readonly log: string[] } => {
  const left = [...answers];
  const log: string[] = [];
  return {
    log,
    async ask(question, fallback) {
      log.push(`${question.split(/[ ,:;]/)[0]} [${fallback}]`);
      return left.shift() ?? '';
    },
    say: (text) => log.push(text),
  };
};

const made = async (given: GivenAnswers, dialogue?: Dialogue): Promise<Record<string, unknown>> =>
  parse(await askInventory('/srv/My_Lab/kbs.yaml', given, around, dialogue));

it('the defaults are a cluster of this machine alone', async () => {
  const dialogue = scripted();
  expect(await made({}, dialogue)).toEqual({
    apiVersion: 'kbs/v1',
    cluster: 'my-lab',
    kubernetes: { version: '1.36.3' },
    network: { segments: { lan: { cidr: '192.168.4.0/22' } } },
    ssh: { user: 'root' },
    hosts: {
      'controller-00': { address: '192.168.5.7', roles: ['control-plane', 'worker'], ssh: { transport: 'local' } },
    },
  });
  expect(dialogue.log).toEqual([
    'Addresses [192.168.5.7]',
    'User [root]',
    'Networks [192.168.4.0/22]',
    'For [none]',
    'Control [static-pods]',
  ]);
  expect(await made({})).toEqual(await made({}, scripted()));
});

/** The roles of each host, in letters. */
const rolesIn = ({ hosts }: Record<string, unknown>): readonly string[] =>
  Object.entries(hosts as Record<string, { roles: readonly string[] }>).map(
    ([name, { roles }]) => `${name} ${roles.join(' ')}`,
  );

test.each<[string, GivenAnswers, readonly string[]]>([
  ['two hosts', { hosts: '10.0.0.1 10.0.0.2' }, ['controller-00 control-plane', 'worker-00 worker']],
  [
    'three hosts, of which two hold the address',
    { hosts: '10.0.0.1,10.0.0.2,10.0.0.3' },
    [
      'controller-00 control-plane worker load-balancer',
      'controller-01 control-plane worker load-balancer',
      'controller-02 control-plane worker',
    ],
  ],
  [
    'four hosts without an address',
    { hosts: '10.0.0.1 10.0.0.2 10.0.0.3 10.0.0.4', endpoint: 'none' },
    ['controller-00 control-plane', 'worker-00 worker', 'worker-01 worker', 'worker-02 worker'],
  ],
  [
    'four hosts and a load balancer of the house',
    { hosts: '10.0.0.1 10.0.0.2 10.0.0.3 10.0.0.4', endpoint: 'external:api.example.com' },
    ['controller-00 control-plane', 'controller-01 control-plane', 'controller-02 control-plane', 'worker-00 worker'],
  ],
  [
    'two segments',
    { hosts: '10.0.0.2 10.0.1.2 10.0.0.3', style: 'systemd' },
    [
      'controller-00 control-plane worker load-balancer',
      'controller-01 control-plane worker',
      'controller-02 control-plane worker load-balancer',
    ],
  ],
])('%s', async (_, given, roles) => {
  expect(rolesIn(await made(given))).toEqual(roles);
});

it('a free address is proposed, and routers where there are several segments', async () => {
  const { endpoint, network } = await made({ hosts: '10.0.0.254 10.0.1.2 10.0.0.3' });
  expect(endpoint).toEqual({ vip: '10.0.0.253' });
  expect(network).toEqual({
    segments: {
      'lan-0': { cidr: '10.0.0.0/24', gateway: '10.0.0.1' },
      'lan-1': { cidr: '10.0.1.0/24', gateway: '10.0.1.1' },
    },
  });
});

it('a wrong answer is told, and the question comes again', async () => {
  const dialogue = scripted(
    ...['10.0.0', '10.0.0.1 10.0.0.1', '10.0.0.1 10.0.1.1'],
    ...['-l', 'ops'],
    ...[
      '10.0.0.0/24',
      '10.0.0.0/24 10.0.1.0/24',
      '10.0.0.0/24=10.0.1.1 10.0.1.0/24',
      '10.0.0.0/24=10.0.0.9 10.0.1.0/24=10.0.1.9',
    ],
    ...['10.0.0.1', '10.0.1.5', 'api', 'external:-', '10.0.0.5'],
    ...['docker', 'systemd'],
  );
  const inventory = await made({}, dialogue);
  expect(inventory).toMatchObject({ endpoint: { vip: '10.0.0.5' }, ssh: { user: 'ops' } });
  expect(dialogue.log.filter((line) => !line.includes('['))).toEqual([
    '10.0.0 is not an IPv4 address',
    '10.0.0.1 is there twice',
    '-l is not a user name; use letters, digits, and inside the name also . _ @ and -',
    '10.0.1.1 is in none of these networks',
    '10.0.0.0/24 needs its router: 10.0.0.0/24=10.0.0.1',
    '10.0.1.1 is not an address in 10.0.0.0/24',
    '10.0.0.1 is the address of a host',
    '10.0.1.5 is not in the network of 10.0.0.1, the first control plane',
    'api is not an IPv4 address; write one, external:NAME or none',
    '- is neither a name nor an address',
    'write static-pods or systemd',
  ]);
});

it('what a flag gives is not asked, and a wrong one is wrong usage', async () => {
  const dialogue = scripted('');
  await made({ hosts: '10.0.0.1', user: 'ops', segments: '10.0.0.0/16', endpoint: 'none' }, dialogue);
  expect(dialogue.log).toEqual(['Control [static-pods]']);
  const failure = await made({ hosts: 'worker-00' }).catch((error: unknown) => failuresIn(error)[0]);
  expect(failure).toMatchObject({ code: 'usage', message: '--hosts: worker-00 is not an IPv4 address' });
});

it('no host can be guessed on a machine without an address', async () => {
  await expect(askInventory('kbs.yaml', {}, { own: [] })).rejects.toThrow('--hosts: write IPv4 addresses');
});
