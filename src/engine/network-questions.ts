import type { NetworkQuestions } from '../hosts/facts/network.js';
import { nthAddress, subnetCount } from '../inventory/addresses.js';
import {
  type Cluster,
  type ClusterHost,
  controlPlanes,
  dnsServers,
  hasEtcdMember,
  isControlPlane,
  isNode,
} from '../inventory/cluster.js';

/**
 * What a host is asked of its network: the ways into its segment, to next hops and to other etcd members, names that kbs
 * gives addresses, the name of an API whose address only others know, and the ports of an external etcd.
 */
export const networkQuestions = (host: ClusterHost, cluster: Cluster): NetworkQuestions => {
  const nextHops = (cluster.routes[host.name] ?? []).map(({ via }) => via);
  const members = hasEtcdMember(host, cluster) ? controlPlanes(cluster).map(({ address }) => address) : [];
  const isMember = isNode(host) || isControlPlane(host);
  return {
    to: [...new Set([...nextHops, ...members, ...inSegment(host, cluster)])].filter((to) => to !== host.address),
    names: isMember ? [host.name, ...knownEndpointName(cluster)] : [],
    resolve: isMember ? unknownEndpointName(cluster) : [],
    connect: isControlPlane(host) ? (cluster.kubernetes.externalEtcd?.endpoints ?? []) : [],
  };
};

/** Any other address of the host's segment, to ask `ip route get` about; whether it is in use does not matter. */
const inSegment = ({ segment, address }: ClusterHost, { network }: Cluster): readonly string[] =>
  network.segments
    .filter(({ name }) => name === segment)
    .flatMap(({ cidr }) => {
      const size = subnetCount(cidr, 32);
      const usable = size > 2 ? [1, 2] : [0, 1];
      return usable.filter((n) => n < size).map((n) => nthAddress(cidr, n));
    })
    .filter((each) => each !== address)
    .slice(0, 1);

/** The endpoint's name where kbs knows no address for it, and where no `dns` host of the cluster will answer for it. */
const unknownEndpointName = (cluster: Cluster): readonly string[] => {
  const { name, address } = cluster.endpoint;
  return name === undefined || address !== undefined || dnsServers(cluster).length > 0 ? [] : [name];
};

/** The endpoint's name where kbs gives it an address; it gives none to the name of a load balancer outside the cluster. */
const knownEndpointName = ({ endpoint: { name, address } }: Cluster): readonly string[] =>
  name === undefined || address === undefined ? [] : [name];
