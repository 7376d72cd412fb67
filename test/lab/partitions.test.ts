import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Partition, partitionRules, partitionsIn, unique } from '../../src/lab/partitions.js';
import { selectHosts } from '../../src/lab/select-hosts.js';
import { specOf } from '../../src/lab/spec.js';
import { clusterOf, withIpv6 } from '../support/cluster.js';
import { lacks } from '../support/needs.js';

const spec = specOf(clusterOf());
const names = spec.hosts.map(({ name }) => name);
const pods = { 'controller-00': ['10.244.0.0/24'], 'worker-rack-00': ['10.244.64.0/24'] };
const both = specOf(withIpv6(clusterOf()));
const podsOfBoth = { 'controller-00': ['10.244.0.0/24', 'fd00:10:244::/64'], 'worker-rack-00': ['10.244.64.0/24'] };

describe('partitions of a lab', () => {
  test('tell hosts of one bridge by their plugs and hosts behind a router by their addresses', () => {
    const rules = partitionRules(spec, [['controller-00', 'worker-rack-00']], pods);
    expect(rules.match(/elements = .*/g)).toEqual([
      'elements = { "h0e0" . "h2e0", "h2e0" . "h0e0" }',
      'elements = { "h0e0" . 192.168.20.20, "h0e0" . 10.244.64.0/24, "h2e0" . 192.168.10.10, "h2e0" . 10.244.0.0/24 }',
    ]);
  });

  test('cut IPv6 too, in a cluster of both families', () => {
    const rules = partitionRules(both, [['controller-00', 'worker-rack-00']], podsOfBoth);
    expect(rules.match(/elements = .*/g)?.[2]).toBe(
      'elements = { "h0e0" . fd00:192:168:20::20, "h2e0" . fd00:192:168:10::10, "h2e0" . fd00:10:244::/64 }',
    );
  });

  test('cut every cable of a router', () => {
    const rules = partitionRules(spec, [['worker-office-00', 'edge']], pods);
    for (const pair of ['"h1e0" . "h3e0"', '"h1e0" . "h3e1"', '"h3e0" . "h1e0"', '"h3e1" . "h1e0"'])
      expect(rules).toContain(pair);
  });

  test('law: a pair counts once, in either order and however often it is named', () => {
    const pair = fc.tuple(fc.constantFrom(...names), fc.constantFrom(...names)).filter(([a, b]) => a !== b);
    fc.assert(
      fc.property(fc.array(pair), (pairs) => {
        const once = unique(spec, pairs);
        expect(
          unique(
            spec,
            [...pairs, ...pairs].map(([a, b]): Partition => [b, a]),
          ),
        ).toEqual(once);
        expect(new Set(once.map((one) => one.toSorted().join(' ')))).toEqual(
          new Set(pairs.map((one) => one.toSorted().join(' '))),
        );
      }),
    );
  });

  const all = unique(
    spec,
    names.flatMap((a) => names.filter((b) => a !== b).map((b): Partition => [a, b])),
  );

  test.skipIf(lacks('root', 'nftables')).each<readonly [string, readonly Partition[]]>([
    ['none', []],
    ['one', [['controller-00', 'edge']]],
    ['all', all],
  ])('are taken by a kernel and read back from it: %s', (_, partitions) => {
    const input = `${partitionRules(both, all, podsOfBoth)}\n${partitionRules(spec, partitions, pods)}\n`;
    const { status, stdout, stderr } = spawnSync(
      'unshare',
      ['--net', 'sh', '-euc', 'nft -f -; nft -j list ruleset bridge'],
      { input, encoding: 'utf8' },
    );
    expect([status, stderr]).toEqual([0, '']);
    expect(partitionsIn(stdout, spec)).toEqual(partitions);
  });
});

describe('the hosts that words mean', () => {
  test.each<readonly [string, readonly string[], readonly string[]]>([
    ['names, each once, in the order of the inventory', ['edge', 'controller-00', 'edge'], ['controller-00', 'edge']],
    ['a segment, without the router between segments', ['segment=office'], ['controller-00', 'worker-office-00']],
    ['all', ['all'], names],
  ])('are %s', (_, words, meant) => {
    expect(selectHosts(spec, words)).toEqual(meant);
  });

  test.each<readonly [string, string, string]>([
    [
      'controler-00',
      'the lab has no host controler-00',
      'did you mean controller-00? it has controller-00, worker-office-00',
    ],
    ['segment=attic', 'the lab has no segment attic', 'it has office, rack'],
    ['', 'the lab has no host ', 'it has controller-00'],
  ])('are known: %j', (word, message, next) => {
    expect(() => selectHosts(spec, ['edge', word])).toThrow(
      expect.objectContaining({ code: 'usage', message, next: expect.stringContaining(next) }),
    );
  });
});
