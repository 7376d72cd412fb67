import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Facts } from '../../../src/hosts/facts/facts.js';
import type { Cluster, ClusterHost } from '../../../src/inventory/cluster.js';
import { resolver } from '../../../src/phases/node/resolver.js';
import type { Resource } from '../../../src/resources/resource.js';
import { clusterOf, hostOf } from '../../support/cluster.js';
import { plannedLines, recordsOf } from '../../support/pruned.js';
import { contextOf } from '../../support/site.js';

const base = clusterOf();
const cluster: Cluster = clusterOf({
  zone: 'lan.internal',
  hostsUseDns: true,
  upstreams: ['192.168.10.1'],
  hosts: [
    hostOf({ name: 'dns-00', address: '192.168.10.3', segment: 'office', roles: ['dns'] }),
    hostOf({ name: 'dns-01', address: '192.168.20.3', segment: 'rack', roles: ['dns'] }),
    ...base.hosts,
  ],
});

const host = (name: string): ClusterHost => {
  const found = cluster.hosts.find((one) => one.name === name);
  if (!found) throw new Error(`there is no host ${name}`);
  return found;
};

const settings = (name: string, facts: Partial<Facts> = {}, of = cluster): readonly Resource[] =>
  resolver.resources(host(name), contextOf(of, facts));

const contentOf = (resources: readonly Resource[]): string => {
  const [file] = resources;
  if (file?.kind !== 'file') throw new Error('the first resource is no file');
  return String(file.content);
};

describe('the DNS servers of hosts', () => {
  it.each([
    ['worker-rack-00', ['192.168.20.3', '192.168.10.3']],
    ['worker-office-00', ['192.168.10.3', '192.168.20.3']],
    ['dns-01', ['192.168.20.3', '192.168.10.3']],
  ])('%s has the nearest first, and itself before all others', (name, expected) => {
    expect(contentOf(settings(name)).match(/(?<=nameserver ).*/g)).toEqual(expected);
  });

  it('keep search domains and options, and are the same when kbs reads back its own settings', () => {
    const text = contentOf(
      settings('dns-00', { searchDomains: ['a.example'], resolverOptions: ['edns0', 'timeout:3'] }),
    );
    expect(text).toContain('\nsearch lan.internal a.example\n');
    expect(text).toContain('\noptions edns0 timeout:3 attempts:2\n');
    const again = {
      searchDomains: ['lan.internal', 'a.example'],
      resolverOptions: ['edns0', 'timeout:3', 'attempts:2'],
    };
    expect(contentOf(settings('dns-00', again))).toBe(text);
  });

  it('stay as they are on a host that is an upstream of the DNS servers', () => {
    expect(resolver.appliesTo(host('edge'), cluster)).toBe(false);
    expect(resolver.appliesTo(host('dns-00'), cluster)).toBe(true);
  });

  it('are restored when the inventory no longer sets hostsUseDns', () => {
    const facts = { resolver: 'resolved' };
    const without = { ...cluster, hostsUseDns: false };
    const { lines } = plannedLines(host('dns-00'), without, recordsOf(host('dns-00'), cluster, facts), facts);
    expect(lines.filter((line) => line.includes(': remove '))).toEqual([
      'resolver: remove task resolver',
      'resolver: remove file /etc/systemd/resolved.conf.d/50-kbs.conf',
    ]);
  });

  it.each([
    ['file', '/etc/resolv.conf'],
    ['resolved', '/etc/systemd/resolved.conf.d/50-kbs.conf'],
    ['NetworkManager', '/etc/NetworkManager/conf.d/50-kbs-dns.conf'],
  ])('are restored, by %s, when the last server is gone', (name, path) => {
    const facts = { resolver: name };
    const worker = host('worker-rack-00');
    const { lines } = plannedLines(worker, { ...cluster, hosts: base.hosts }, recordsOf(worker, cluster, facts), facts);
    expect(lines).toContain(`resolver: remove file ${path}`);
    expect(lines.filter((line) => /^resolver: (?!remove )/.test(line))).toEqual([]);
  });

  it('are not set by kbs where an unknown program writes them', () => {
    expect(settings('dns-00', { resolver: 'resolvconf' })).toEqual([]);
  });
});

describe.each([
  ['resolved', '/run/systemd/resolve/resolv.conf'],
  ['NetworkManager', '/etc/resolv.conf'],
])('%s goes by its setting', (name, written) => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kbs-resolver-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it.each([
    ['it writes these servers first', ['192.168.10.3', '192.168.20.3', '192.0.2.1'], true],
    ['it writes them in another order', ['192.168.20.3', '192.168.10.3'], false],
    ['it writes others first', ['192.0.2.1', '192.168.10.3', '192.168.20.3'], false],
    ['it writes only one', ['192.168.10.3'], false],
    ['it writes none', [], false],
  ])('where %s', async (_, servers, taken) => {
    const [file, task] = settings('dns-00', { resolver: name });
    if (file?.kind !== 'file' || task?.kind !== 'task') throw new Error('a drop-in and a task are expected');
    await writeFile(join(folder, 'written'), servers.map((server) => `nameserver ${server}\n`).join(''));
    await writeFile(join(folder, 'drop-in'), String(file.content));
    expect(await readFile(join(folder, 'drop-in'), 'utf8')).toContain('lan.internal');
    const test = task.check.replaceAll(file.path, join(folder, 'drop-in')).replaceAll(written, join(folder, 'written'));
    expect((await execa('sh', ['-euc', test], { reject: false })).exitCode === 0).toBe(taken);
  });
});
