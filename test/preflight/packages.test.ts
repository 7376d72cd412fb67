import { describe, expect, test } from 'vitest';
import { assumedFacts, type System } from '../../src/hosts/facts/facts.js';
import type { Cluster, ClusterHost } from '../../src/inventory/cluster.js';
import { packagesCheck } from '../../src/preflight/packages.js';
import { clusterOf, hostOf } from '../support/cluster.js';

const node = hostOf({ name: 'w', address: '192.168.10.11', segment: 'office', podCidr: '10.244.0.0/24' });
const balancer = hostOf({ name: 'lb', address: '192.168.10.12', segment: 'office', roles: ['load-balancer'] });
const vip = clusterOf({ endpoint: { host: 'k', address: '192.168.10.5', vip: '192.168.10.5', port: 6443 } });

const found = (os: string, of: Partial<System>, host: ClusterHost = balancer, cluster: Cluster = vip) =>
  packagesCheck
    .check(
      host,
      {
        ...assumedFacts,
        os,
        system: { like: [], programs: [], mounts: [], etcdClusters: [], otherClusters: [], zramUnits: [], ...of },
      },
      cluster,
    )
    .map(({ detail, next }) => `${detail}; ${next}`);

const fedora = { packageManager: 'dnf', id: 'fedora', version: '42' } as const;
const rocky = { packageManager: 'dnf', id: 'rocky', like: ['rhel', 'centos', 'fedora'], version: '9.4' } as const;
const ubuntu = { packageManager: 'apt', id: 'ubuntu', like: ['debian'], version: '24.04' } as const;

describe('packages that kbs does not install', () => {
  const nothingKnown = 'has neither apt nor dnf, by which kbs installs packages';
  const left = 'the inventory leaves packages to you: packages: { source: none }';
  const both = 'haproxy and keepalived are not installed, and';

  test.each<[string, Partial<System>, ClusterHost, string]>([
    [
      'openSUSE',
      { packageManager: 'none', id: 'opensuse-leap', like: ['suse', 'opensuse'] },
      balancer,
      `${both} openSUSE ${nothingKnown}; install them yourself: zypper install -y haproxy keepalived`,
    ],
    [
      'Arch with haproxy',
      { packageManager: 'none', id: 'arch', programs: ['haproxy'] },
      balancer,
      `keepalived is not installed, and Arch with haproxy ${nothingKnown}; install it yourself: pacman -S --noconfirm keepalived`,
    ],
    [
      'an unknown system',
      { packageManager: 'none' },
      node,
      `nftables is not installed, and an unknown system ${nothingKnown}; install it yourself, with the package manager of the host`,
    ],
    [
      'Fedora',
      fedora,
      { ...balancer, packages: 'none' },
      `${both} ${left}; install them yourself: dnf install -y haproxy keepalived; or let kbs do it: packages: { source: host }`,
    ],
    [
      'Rocky',
      rocky,
      { ...balancer, packages: 'none' },
      `${both} ${left}; install them yourself: dnf install -y haproxy keepalived, after dnf install -y epel-release where its own repositories lack one; or let kbs do it: packages: { source: host }`,
    ],
    [
      'Fedora 42',
      fedora,
      { ...node, packages: 'bundle' },
      'nftables is not installed, and Fedora 42 has no apt, which the packages of a bundle are for: packages: { source: bundle }; install it yourself: dnf install -y nftables; or let kbs do it: packages: { source: host }',
    ],
    [
      'Fedora, of kube-proxy as a unit',
      { ...fedora, programs: ['nft', 'iptables'] },
      { ...node, packages: 'none' },
      `ipset is not installed, and ${left}; install it yourself: dnf install -y ipset; or let kbs do it: packages: { source: host }`,
    ],
  ])('are named on %s', (os, of, host, says) => {
    const kubernetes = { version: '1.36.3', controlPlane: 'systemd', proxy: 'ipvs' } as const;
    expect(found(os, of, host, says.startsWith('ipset') ? { ...vip, kubernetes } : vip)).toEqual([says]);
  });

  const { vip: _, ...plain } = vip.endpoint;
  const programs = ['haproxy', 'keepalived'];

  test.each<[string, Partial<System>, ClusterHost, Cluster]>([
    ['kbs may install them by dnf', fedora, balancer, vip],
    ['kbs may install them by apt', ubuntu, { ...node, packages: 'host' }, vip],
    [
      'the bundle has them',
      { packageManager: 'apt', id: 'debian', version: '12' },
      { ...balancer, packages: 'bundle' },
      vip,
    ],
    ['they are there', { ...fedora, programs }, { ...balancer, packages: 'none' }, vip],
    ['nft is there', { ...fedora, programs: ['nft'] }, { ...node, packages: 'none' }, vip],
    [
      'there is no virtual address',
      { ...fedora, programs: ['haproxy'] },
      { ...balancer, packages: 'none' },
      { ...vip, endpoint: plain },
    ],
    [
      'the load balancer is elsewhere',
      fedora,
      { ...balancer, packages: 'none' },
      { ...vip, endpoint: { ...plain, external: true } },
    ],
    ['nothing could be asked', {}, { ...balancer, packages: 'none' }, vip],
  ])('are not named where %s', (_about, of, host, cluster) => expect(found('it', of, host, cluster)).toEqual([]));
});
