import { type Cluster, nodes } from '../../inventory/cluster.js';
import { counted } from './format.js';

/** A summary of an inventory: its hosts, and each segment's part of the pod network with its number of nodes. */
export function networkText(cluster: Cluster): string {
  const segments = cluster.network.segments.flatMap(({ name, cidr, podCidr, capacity, ipv6 }) => {
    const members = nodes(cluster).filter(({ segment }) => segment === name).length;
    return [
      `  ${name.padEnd(12)} ${cidr.padEnd(18)} pods ${podCidr.padEnd(18)} ${members} of ${counted(capacity, 'node')}`,
      ...(ipv6 === undefined ? [] : [`  ${''.padEnd(12)} ${ipv6.cidr.padEnd(18)} pods ${ipv6.podCidr}`]),
    ];
  });
  return [
    `${cluster.name}: ${counted(cluster.hosts.length, 'host')}, Kubernetes ${cluster.kubernetes.version}`,
    ...segments,
  ].join('\n');
}
