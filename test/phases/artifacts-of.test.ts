import { expect, it } from 'vitest';
import { type Arch, architectures, machineNames } from '../../src/artifacts/arch.js';
import { resourcesOf } from '../../src/engine/observe.js';
import type { Facts } from '../../src/hosts/facts/facts.js';
import type { Cluster } from '../../src/inventory/cluster.js';
import { artifactsOf } from '../../src/phases/artifacts-of.js';
import { phases } from '../../src/phases/index.js';
import type { Resource } from '../../src/resources/resource.js';
import { clusterOf } from '../support/cluster.js';
import { contextOf } from '../support/site.js';

const clusters = (['static-pods', 'systemd'] as const).map((controlPlane): readonly [string, Cluster] => [
  controlPlane,
  clusterOf({ kubernetes: { version: '1.36.3', controlPlane, proxy: 'nftables' } }),
]);

const resourcesOn = (cluster: Cluster, facts: Partial<Facts>): readonly Resource[] =>
  cluster.hosts.flatMap((host) => {
    const all = phases.filter((phase) => phase.appliesTo(host, cluster));
    return [...resourcesOf({ host, phases: all, all }, contextOf(cluster, facts)).values()].flat();
  });

const contents = (cluster: Cluster, arch: Arch): readonly string[] =>
  resourcesOn(cluster, { arch: machineNames[arch] }).flatMap((resource) => {
    if (resource.kind === 'binary') return [resource.content.sha256];
    return resource.kind === 'image'
      ? resource.archives.map((each) => ('archive' in each ? each.archive.sha256 : each.pull))
      : [];
  });

it.each(clusters)('every program and archive is that of the host, with %s', (_, cluster) => {
  const [amd64, arm64] = architectures.map((arch) => contents(cluster, arch));
  expect(amd64?.length).toBeGreaterThan(10);
  expect(arm64?.length).toBe(amd64?.length);
  expect(arm64?.filter((digest) => amd64?.includes(digest))).toEqual([]);
});

it.each(clusters)('what all nodes share names no architecture and no digest of one, with %s', (_, cluster) => {
  const shared = (arch: Arch) =>
    resourcesOn(cluster, { arch: machineNames[arch] }).filter(({ kind }) => kind === 'object' || kind === 'file');
  expect(shared('arm64')).toEqual(shared('amd64'));
});

it('a host that was not asked gets the first architecture of the bundle', () => {
  const context = contextOf(clusterOf());
  const binaryIn = (architectures: readonly Arch[]) =>
    artifactsOf({ name: 'anyone' }, { ...context, artifacts: { ...context.artifacts, architectures } }).binary('runc');
  expect(binaryIn(['amd64', 'arm64'])).toEqual(context.artifacts.of('amd64').binary('runc'));
  expect(binaryIn(['arm64'])).toEqual(context.artifacts.of('arm64').binary('runc'));
});
