import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import type { Cluster } from '../../src/inventory/cluster.js';
import { masqueradeTables } from '../../src/network/masquerade.js';
import { clusterOf } from '../support/cluster.js';
import { lacks } from '../support/needs.js';
import { clusterLike, foreign, star, twins } from './topologies.js';

/** What nft lists after it has loaded the text, in a network namespace that ends with the command. */
const asListed = (text: string): string =>
  execFileSync('unshare', ['-n', 'sh', '-euc', 'nft -f - && nft list table ip kbs'], { input: text, encoding: 'utf8' });

/** The first segment gets another gateway. */
const withGateway = (cluster: Cluster, gateway: string): Cluster => {
  const segments = cluster.network.segments.map((one, n) => (n === 0 ? { ...one, gateway } : one));
  return { ...cluster, network: { ...cluster.network, segments } };
};

describe('the masquerade table', () => {
  it('masquerades pods only towards networks outside all segments, where the gateways have routes to pods', () => {
    expect(masqueradeTables(clusterOf())[0]).toEqual({
      family: 'ip',
      name: 'kbs',
      text: [
        'table ip kbs {',
        '\tchain postrouting {',
        '\t\ttype nat hook postrouting priority srcnat; policy accept;',
        '\t\tip saddr != 10.244.0.0/16 return',
        '\t\tip daddr 10.244.0.0/16 return',
        '\t\tip daddr 10.254.0.0/16 return',
        '\t\tip daddr 192.168.10.0/24 return',
        '\t\tip daddr 192.168.20.0/24 return',
        '\t\tip daddr 224.0.0.0/4 return',
        '\t\tmasquerade',
        '\t}',
        '}',
        '',
      ].join('\n'),
    });
  });

  const all = ['192.168.10.0/24', '192.168.11.0/24'];

  it.each<[string, Cluster, readonly string[]]>([
    ['a home router in front of a single segment', clusterLike(foreign(1), []), []],
    ['no gateway', clusterLike(star(1), []), []],
    ['a managed router in front of a single segment', clusterLike({ ...star(1), routers: [[0]] }, []), all.slice(0, 1)],
    ['an unmanaged router that joins the segments', clusterLike(foreign(2), []), all],
    ['managed routers', clusterLike(twins(2), []), all],
    ['a home router beside the managed one', withGateway(clusterLike(star(2), []), '192.168.10.1'), all.slice(1)],
  ])('spares the segments whose gateway knows the way back to pods: %s', (_, cluster, spared) => {
    expect((masqueradeTables(cluster)[0]?.text ?? '').match(/(?<=daddr )192\S+/g) ?? []).toEqual(spared);
  });

  const odd = clusterOf();
  const segments = odd.network.segments.map((one, n) => ({
    ...one,
    cidr: ['10.0.0.0/9', '192.0.2.7/32'][n] ?? one.cidr,
  }));

  it.skipIf(lacks('root', 'nftables')).each<[string, Cluster]>([
    ['two segments', clusterOf()],
    ['six adjacent segments', clusterLike(star(6), [])],
    ['prefixes off the byte boundary and a single address', { ...odd, network: { ...odd.network, segments } }],
  ])('is listed by nft as it was written: %s', (_, cluster) => {
    const [{ text } = { text: '' }] = masqueradeTables(cluster);
    expect(asListed(text)).toBe(text);
  });
});
