import { isAddress } from './addresses.js';
import {
  type Cluster,
  type ClusterHost,
  type ForwardRule,
  hasIngress,
  ingressPorts,
  isControlPlane,
  isNode,
  isWorker,
} from './cluster.js';

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
    : [...(cluster.endpoint.ingress ? ingressForwards : []), ...cluster.forwards].map(({ to, ...rule }) => ({
        ...rule,
        to: to.join(', '),
        targets: cluster.hosts.filter((host) => to.some((word) => isTarget(word, host))),
      }));

/** The ingress controller runs on every worker, and is told who asks. */
const ingressForwards = ingressPorts.map(
  ({ port, nodePort }): ForwardRule => ({ port, to: ['workers'], targetPort: nodePort, proxyProtocol: true }),
);

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

/** A name that the LAN's DNS servers answer for. */
export interface LanRecord {
  /** In full, without a dot at its end; the first label may be `*`. */
  readonly name: string;
  readonly address: string;
}

/**
 * The names of a cluster's zone besides those of its hosts and its API, then those of its ingress controller, which the
 * inventory may lead elsewhere. A host that has left leaves no name behind.
 */
export const recordsOf = (cluster: Cluster): readonly LanRecord[] => {
  const { records, zone, endpoint, hosts } = cluster;
  if (zone === undefined) return [];
  const written = records.flatMap(({ name, value }) => {
    const literal = isAddress(value) ? value : hosts.find((host) => host.name === value)?.address;
    const address = value === virtualAddress ? endpoint.address : literal;
    return address === undefined ? [] : [{ name: `${name}.${zone}`, address }];
  });
  const address = ingressAddress(cluster);
  const names = ingressNames(cluster).filter((name) => name.endsWith(`.${zone}`));
  const others = address === undefined ? [] : names.map((name) => ({ name, address }));
  return [...written, ...others.filter(({ name }) => written.every((record) => record.name !== name))];
};

/** Where the names of the ingress controller lead: to the load balancers that pass it on, or else to the first worker. */
const ingressAddress = ({ endpoint, hosts }: Cluster): string | undefined =>
  endpoint.ingress ? endpoint.address : hosts.find(isWorker)?.address;

/**
 * The names that the ingress controller answers for, in full: every one below `apps` of the zone, and those of add-ons that are
 * not of that shape. None without an ingress controller.
 */
export const ingressNames = (cluster: Pick<Cluster, 'addons' | 'zone'>): readonly string[] => {
  const { zone, addons = [] } = cluster;
  if (!hasIngress(cluster)) return [];
  const all = zone === undefined ? undefined : `*.apps.${zone}`;
  const hosts = addons.flatMap((addon) => ('host' in addon && addon.host !== undefined ? [addon.host] : []));
  return [...(all === undefined ? [] : [all]), ...new Set(hosts)].filter(
    (name) => name === all || all === undefined || name.replace(/^[^.]+/, '*') !== all,
  );
};

/** The value of a record that stands for the address of the endpoint. */
export const virtualAddress = 'VIP';
