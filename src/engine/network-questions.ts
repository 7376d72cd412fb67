import type { NetworkQuestions } from '../hosts/facts/network.js';
import { type Cluster, type ClusterHost, controlPlanes, isControlPlane, isNode } from '../inventory/cluster.js';

/** What a host is asked of its network: the ways to next hops and to other etcd members, and names that kbs gives addresses. */
export const networkQuestions = (host: ClusterHost, cluster: Cluster): NetworkQuestions => {
  const nextHops = (cluster.routes[host.name] ?? []).map(({ via }) => via);
  const members = isControlPlane(host) ? controlPlanes(cluster).map(({ address }) => address) : [];
  return {
    to: [...new Set([...nextHops, ...members])].filter((address) => address !== host.address),
    names: isNode(host) || isControlPlane(host) ? [host.name, ...namesOfApi(cluster)] : [],
  };
};

/** Where a load balancer outside the cluster has the name, kbs knows no address for it. */
const namesOfApi = ({ endpoint: { name, address } }: Cluster): readonly string[] =>
  name === undefined || address === undefined ? [] : [name];
