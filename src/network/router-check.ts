import { nthAddress } from '../inventory/addresses.js';
import type { Cluster } from '../inventory/cluster.js';
import { familiesOf } from './segments-graph.js';

/** A test on one host whether packets reach the pods of a host in another segment. */
export interface RouterCheck {
  readonly from: string;
  readonly to: string;
  /** The bridge's address in the pod CIDR of `to`; it is there once a pod has run on `to`. */
  readonly address: string;
  /** Shell to run on `from`. Changes nothing; prints `answers`, or `silent` with the reason, within two seconds. */
  readonly script: string;
}

/**
 * One check for every ordered pair of segments, from the first node of the one to the first node of the other: enough
 * to see whether routers forward pod traffic, without asking every pair of hosts. In each family that the cluster has.
 */
export const routerChecks = (cluster: Cluster): readonly RouterCheck[] => familiesOf(cluster).flatMap(checksIn);

const checksIn = (cluster: Cluster): readonly RouterCheck[] => {
  const firsts = cluster.network.segments.flatMap(({ name }) => {
    const host = cluster.hosts.find(({ segment, podCidr }) => segment === name && podCidr !== undefined);
    return host?.podCidr === undefined ? [] : [{ name: host.name, address: nthAddress(host.podCidr, 1) }];
  });
  return firsts.flatMap((from) =>
    firsts
      .filter((to) => to.name !== from.name)
      .map((to) => ({ from: from.name, to: to.name, address: to.address, script: connectScript(to.address) })),
  );
};

/**
 * Connects to the kubelet's port. A refusal is an answer too: it comes from that host. Not every host has ping or nc,
 * but every host has bash and timeout.
 */
const connectScript = (
  address: string,
): string => `answer=$(LC_ALL=C timeout 2 bash -c ': </dev/tcp/${address}/10250' 2>&1) && code=0 || code=$?
case "$code $answer" in
0* | *refused*) echo answers ;;
124*) echo "silent: no answer from ${address} within 2 seconds" ;;
*) echo "silent: \${answer##*: }" ;;
esac
`;
