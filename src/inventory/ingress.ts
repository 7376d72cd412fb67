import type { ForwardRule } from './cluster.js';
import type { Inventory } from './schema.js';

/** A port of the ingress controller. */
export interface IngressPort {
  /** As Traefik calls its entry points. */
  readonly name: 'web' | 'websecure';
  /** The port that clients use. */
  readonly port: number;
  /** The port on every worker. */
  readonly nodePort: number;
}

/** The first 86 NodePorts are those that the API server gives to no Service by itself. */
export const ingressPorts: readonly IngressPort[] = [
  { name: 'web', port: 80, nodePort: 30_080 },
  { name: 'websecure', port: 443, nodePort: 30_043 },
];

/** What the load balancers pass on to the ingress controller, where the endpoint has one. */
export const ingressForwards = ({ endpoint }: Pick<Inventory, 'endpoint'>): readonly ForwardRule[] =>
  endpoint?.ingress
    ? ingressPorts.map(({ port, nodePort }) => ({ port, to: ['workers'], targetPort: nodePort, proxyProtocol: true }))
    : [];

/** The name below the zone whose every name leads to the ingress controller. */
const wildcard = '*.apps';

/**
 * Names of the zone that lead to the ingress controller, each without the zone: `*.apps`, and the hosts that add-ons ask
 * for. None where the endpoint has no ingress controller, or there is no zone.
 */
export const ingressNames = ({
  endpoint,
  dns,
  addons,
}: Pick<Inventory, 'endpoint' | 'dns' | 'addons'>): readonly string[] => {
  const end = dns?.zone === undefined ? undefined : `.${dns.zone}`;
  if (!endpoint?.ingress || end === undefined) return [];
  const host = addons?.dashboard?.host;
  return [wildcard, ...(host?.endsWith(end) ? [host.slice(0, -end.length)] : [])];
};
