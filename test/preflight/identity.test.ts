import { describe, expect, test } from 'vitest';
import { assumedFacts, type Facts, unreadableCa } from '../../src/hosts/facts/facts.js';
import type { IdentityFacts } from '../../src/preflight/check.js';
import { identityCheck } from '../../src/preflight/identity.js';
import { clusterOf } from '../support/cluster.js';

const roots = ['ca', 'etcd/ca', 'front-proxy-ca', 'sa', 'encryption.key'];
const empty: IdentityFacts['keyring'] = { missing: roots };
const whole: IdentityFacts['keyring'] = { ca: 'aa', missing: [] };
const cluster = clusterOf();
const everyHost = (clusterCa?: string) =>
  Object.fromEntries(cluster.hosts.map(({ name }) => [name, clusterCa] as const));

/** Hosts that were observed with their CA. */
type Seen = Readonly<Record<string, string | undefined>>;

const factsOf = (seen: Seen): ReadonlyMap<string, Facts> =>
  new Map(
    Object.entries(seen).map(([name, clusterCa]) => [
      name,
      clusterCa === undefined ? assumedFacts : { ...assumedFacts, clusterCa },
    ]),
  );

const refused = (workflow: string, keyring: IdentityFacts['keyring'], seen: Seen): readonly string[] =>
  identityCheck
    .check({ workflow, cluster, keyring, facts: factsOf(seen) })
    .map(({ hosts, detail }) => `${hosts.join(', ')}: ${detail}`);

const workflows = ['init', 'apply', 'join', 'remove', 'etcd restore', 'preflight'];
const foreign = 'this host belongs to a cluster whose CA is not in this keyring';

describe.each(workflows)('%s', (workflow) => {
  test('goes on where all hosts have the CA of the keyring, or none yet', () => {
    expect(refused(workflow, whole, everyHost('aa'))).toEqual([]);
    expect(refused(workflow, whole, { ...everyHost(), 'controller-00': 'aa' })).toEqual([]);
    expect(refused(workflow, whole, { 'worker-rack-00': 'aa' })).toEqual([]);
  });

  test('changes no host of another cluster, be it a worker alone', () => {
    const seen = { ...everyHost('aa'), 'worker-rack-00': 'bb' };
    expect(refused(workflow, whole, seen)).toEqual([`worker-rack-00: ${foreign}`]);
  });

  test('changes no host whose CA cannot be read', () => {
    expect(refused(workflow, whole, { ...everyHost('aa'), edge: unreadableCa })).toEqual([
      'edge: cannot tell which cluster this host belongs to: its CA certificate cannot be read',
    ]);
  });

  test('replaces no CA from a folder without the keyring, whatever is selected', () => {
    expect(refused(workflow, empty, everyHost('aa'))).toEqual(cluster.hosts.map(({ name }) => `${name}: ${foreign}`));
    expect(refused(workflow, empty, { 'worker-rack-00': 'aa' })).toEqual([`worker-rack-00: ${foreign}`]);
  });

  test('replaces no other root of a living cluster', () => {
    const partial = { ca: 'aa', missing: roots.slice(1) };
    expect(refused(workflow, partial, { ...everyHost(), 'controller-00': 'aa' })).toEqual([
      'controller-00: this host belongs to a cluster that needs keys which the keyring lacks',
    ]);
    expect(refused(workflow, partial, everyHost())).toEqual([]);
  });
});

describe('a keyring without a CA, and hosts that belong to no cluster', () => {
  test.each(['init', 'apply'])('%s may create the CA of a new cluster', (workflow) => {
    expect(refused(workflow, empty, everyHost())).toEqual([]);
    expect(refused(workflow, empty, { 'controller-00': undefined })).toEqual([]);
  });

  test.each(['init', 'apply'])('%s creates none where a control plane was not observed', (workflow) => {
    expect(refused(workflow, empty, { 'worker-rack-00': undefined })).toEqual([
      'controller-00: the keyring has no CA, and this control plane, which was not observed, may belong to a cluster that has one',
    ]);
  });

  test.each(['join', 'remove', 'etcd restore'])('%s creates none', (workflow) => {
    expect(refused(workflow, empty, everyHost())).toEqual([
      `: the keyring has no CA, and ${workflow} needs the one of the cluster`,
    ]);
  });

  test('preflight finds nothing wrong, also with a part of the hosts', () => {
    expect(refused('preflight', empty, everyHost())).toEqual([]);
    expect(refused('preflight', empty, { 'worker-rack-00': undefined })).toEqual([]);
  });
});

test('a host of another cluster is refused with both fingerprints and the next step', () => {
  const [failure] = identityCheck.check({ workflow: 'join', cluster, keyring: whole, facts: factsOf({ edge: 'bb' }) });
  expect(failure).toMatchObject({
    hosts: ['edge'],
    why: [
      'the CA of the host has the SHA-256 fingerprint bb',
      'the CA of the keyring, .kbs beside the inventory, has aa',
    ],
    next: expect.stringContaining('bring the keyring of that cluster to .kbs beside the inventory'),
  });
});
