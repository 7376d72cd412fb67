import { familyOf } from '../inventory/addresses.js';
import type { Cluster } from '../inventory/cluster.js';
import { lanNames } from './lan-names.js';
import type { ProbeCheck, Proof } from './probe-check.js';
import { type Probe, portOf } from './probes.js';

/**
 * Everything that `verify` asks. For each ordered pair of segments some pairs of nodes, so that the number grows with
 * segments and hosts and not with the square of hosts; every node asks and is asked at least once. In each family that
 * both ends have an address of. `service` are the addresses of the probes' Service.
 */
export const probeChecks = (
  cluster: Cluster,
  probes: readonly Probe[],
  namespace: string,
  service: readonly string[],
): readonly ProbeCheck[] => {
  const pods = probes.filter(({ network }) => network === 'pod');
  const hosts = probes.filter(({ network }) => network === 'host');
  return [
    ...pairs(pods).flatMap((pair) => waysOf(pair).flatMap((way) => [podToPod(way), pathMtu(way)])),
    ...pods.flatMap((pod) => service.map((address) => viaService('Service from pods', pod, address))),
    ...hosts.flatMap((host) => service.map((address) => viaService('Service from hosts', host, address))),
    ...pods.flatMap((pod) => names(pod, cluster, namespace, service)),
    ...lanNames(pods, cluster),
    ...hosts.map((host) => apiEndpoint(host, cluster)),
  ];
};

/** Ordered pairs of probes on different nodes: a ring over all, and for each pair of segments up to two. */
export const pairs = (pods: readonly Probe[]): readonly (readonly [Probe, Probe])[] => {
  const ring = pods.flatMap((pod, index) => {
    const next = pods[(index + 1) % pods.length];
    return next && next !== pod
      ? ([
          [pod, next],
          [next, pod],
        ] as const)
      : [];
  });
  const segments = [...new Set(pods.map(({ node }) => node.segment))];
  const across = segments.flatMap((from) =>
    segments.flatMap((to) => {
      const sources = pods.filter(({ node }) => node.segment === from);
      const asked = pods.filter(({ node }) => node.segment === to);
      return sources
        .flatMap((source) => asked.filter((other) => other !== source).map((other) => [source, other] as const))
        .filter((_, index, all) => index === 0 || index === all.length - 1);
    }),
  );
  const byName = new Map([...across, ...ring].map((pair) => [`${pair[0].pod} ${pair[1].pod}`, pair]));
  return [...byName.values()];
};

const where = ({ node }: Probe): string => `${node.name} (${node.segment})`;

/** From one pod to another in one family. */
interface Way {
  readonly from: Probe;
  readonly to: Probe;
  /** The addresses of the two. */
  readonly source: string;
  readonly target: string;
  /** Nothing for IPv4. */
  readonly by: '' | ' by IPv6';
}

const waysOf = ([from, to]: readonly [Probe, Probe]): readonly Way[] => [
  { from, to, source: from.address, target: to.address, by: '' },
  ...(from.ipv6 === undefined || to.ipv6 === undefined
    ? []
    : [{ from, to, source: from.ipv6, target: to.ipv6, by: ' by IPv6' } as const]),
];

/** As a URL has it. */
const inUrl = (address: string): string => (familyOf(address) === 'ipv6' ? `[${address}]` : address);

/** The target pod reports the address it saw: the source pod's own, unless something masqueraded on the way. */
const podToPod = ({ from, to, source, target, by }: Way): ProbeCheck => ({
  proof: 'pod to pod',
  name: `${where(from)} → ${where(to)}${by}, source address preserved`,
  source: from,
  request: { kind: 'http', target: `http://${inUrl(target)}:${portOf.pod}/whoami`, expect: source, seconds: 10 },
});

const pathMtu = ({ from, to, target, by }: Way): ProbeCheck => ({
  proof: 'path MTU',
  name: `${where(from)} → ${where(to)}${by}, unfragmented`,
  source: from,
  meaning: `where smaller packets arrive, the MTU of a link on the way is too small: see ip link on ${from.node.name} and ${to.node.name}`,
  request: { kind: 'datagram', target: `${inUrl(target)}:${portOf.pod + 1}`, seconds: 6 },
});

const viaService = (proof: Proof, source: Probe, service: string): ProbeCheck => ({
  proof,
  name: `${where(source)} → ${service}`,
  source,
  request: { kind: 'http', target: `http://${inUrl(service)}/whoami`, seconds: 15 },
});

const names = (
  source: Probe,
  cluster: Cluster,
  namespace: string,
  service: readonly string[],
): readonly ProbeCheck[] => {
  const wanted: readonly (readonly [string, string])[] = [
    ['probe', service.join(' ')],
    [`probe.${namespace}.svc.${cluster.domain}`, service.join(' ')],
    ['kubernetes.default', cluster.network.apiServiceAddress],
  ];
  return wanted.map(([name, expect]) => ({
    proof: 'DNS',
    name: `${where(source)}: ${name} is ${expect.replace(' ', ' and ')}`,
    source,
    // CoreDNS asks an API server that did not answer again after up to a minute (30 s with client-go's jitter of 1), and knows no
    // new Service until then.
    request: { kind: 'name', target: name, expect, seconds: 75 },
  }));
};

const apiEndpoint = (source: Probe, { endpoint }: Cluster): ProbeCheck => ({
  proof: 'API endpoint',
  name: `${where(source)} → ${endpoint.host}:${endpoint.port}`,
  source,
  request: { kind: 'http', target: `https://${endpoint.host}:${endpoint.port}/readyz`, expect: 'ok', seconds: 10 },
});
