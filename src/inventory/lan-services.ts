import { isAddress } from './addresses.js';
import { type Cluster, type ClusterHost, type ForwardRule, isControlPlane, isNode, isWorker } from './cluster.js';

/** A TCP port that every load balancer passes on to its targets. */
export interface Forward extends Omit<ForwardRule, 'to'> {
  /** The targets as a user wrote them: `workers`, `worker-00, worker-01`. */
  readonly to: string;
  /** In the order of the inventory. */
  readonly targets: readonly ClusterHost[];
}

/** The ports that the load balancers of a cluster pass on; none where they are not kbs's. */
export const forwardsOf = (cluster: Cluster): readonly Forward[] =>
  cluster.endpoint.external
    ? []
    : cluster.forwards.map(({ to, ...rule }) => ({
        ...rule,
        to: to.join(', '),
        targets: cluster.hosts.filter((host) => to.some((word) => isTarget(word, host))),
      }));

/** Words that stand for several hosts as targets of a forward. A role word is meant where a host has the same name. */
export const targetWords = ['workers', 'control-planes', 'nodes'] as const;

const isTarget = (word: string, host: ClusterHost): boolean => {
  switch (word) {
    case 'workers':
      return isWorker(host);
    case 'control-planes':
      return isControlPlane(host);
    case 'nodes':
      return isNode(host);
    default:
      return host.name === word;
  }
};

/** `443 → workers:30443` */
export const forwardText = ({ port, to, targetPort }: Pick<Forward, 'port' | 'to' | 'targetPort'>): string =>
  `${port} → ${to}:${targetPort}`;

/** A name of the LAN's zone. */
export interface LanRecord {
  /** In full, without a dot at its end; the first label may be `*`. */
  readonly name: string;
  readonly address: string;
}

/** The names of a cluster's zone besides those of its hosts and its API. A host that has left leaves no name behind. */
export const recordsOf = ({ records, zone, endpoint, hosts }: Cluster): readonly LanRecord[] =>
  records.flatMap(({ name, value }) => {
    const literal = isAddress(value) ? value : hosts.find((host) => host.name === value)?.address;
    const address = value === virtualAddress ? endpoint.address : literal;
    return zone === undefined || address === undefined ? [] : [{ name: `${name}.${zone}`, address }];
  });

/** The value of a record that stands for the address of the endpoint. */
export const virtualAddress = 'VIP';
