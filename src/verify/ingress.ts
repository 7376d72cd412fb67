import { ingressClass } from '../addons/ingress.js';
import { type Host, mutation } from '../hosts/host.js';
import { lastLines } from '../hosts/last-lines.js';
import { type Cluster, dnsServers, isLoadBalancer, isWorker } from '../inventory/cluster.js';
import type { KubeObject } from '../resources/resource.js';
import type { AddonOptions } from './addon-options.js';
import { applying } from './applying.js';
import type { CheckResult } from './check-result.js';
import type { ProbeCheck } from './probe-check.js';
import type { Probe } from './probes.js';
import { runProbes } from './run-probes.js';

/**
 * An Ingress in front of the probes is asked for over HTTPS, by a name that a DNS server of the LAN resolves, with a
 * certificate of the ingress controller's own authority; and the pod is told the address of the host that asks. Asked from a
 * host of each segment that has a node. Without a zone or a DNS server no name leads there, and nothing is asked.
 */
export const verifyIngress = async (
  cluster: Cluster,
  host: Host,
  { namespace, ingressCa, probes, limits }: Pick<AddonOptions, 'namespace' | 'ingressCa' | 'probes' | 'limits'>,
): Promise<readonly CheckResult[]> => {
  const checks = ingressCa === undefined ? [] : ingressChecks(cluster, probes, ingressCa);
  if (checks.length === 0) return [];
  const { script, payload } = applying([ingressObject(nameIn(cluster))], namespace);
  const made = await host.mutate(mutation(script, [payload]), { timeout: 60_000, ...limits });
  if (made.code === 0) return runProbes(host, namespace, probes, checks, limits);
  const detail = lastLines(made.stderr, 1)[0] ?? 'the API server does not answer';
  return checks.map(({ proof, name }) => ({ proof, name, ok: false, detail, ms: 0 }));
};

/** From the host's network of one node of each segment; those are best that are neither load balancer nor ingress node. */
export const ingressChecks = (cluster: Cluster, probes: readonly Probe[], ca: string): readonly ProbeCheck[] => {
  const [server] = dnsServers(cluster);
  if (cluster.zone === undefined || server === undefined) return [];
  const rank = ({ node }: Probe): number => 2 * Number(isLoadBalancer(node)) + Number(isWorker(node));
  const hosts = probes.filter(({ network }) => network === 'host').toSorted((one, other) => rank(one) - rank(other));
  return [...new Set(cluster.hosts.map(({ segment }) => segment))].flatMap((segment) => {
    const source = hosts.find(({ node }) => node.segment === segment);
    if (source === undefined) return [];
    const { name, address } = source.node;
    const url = `https://${nameIn(cluster)}/forwarded`;
    return [
      {
        proof: 'Ingress from LAN' as const,
        name: `${name} (${segment}) → ${url}, seen as ${address}`,
        source,
        request: {
          kind: 'http' as const,
          target: url,
          // A load balancer that holds the virtual address asks itself, with that address.
          ...(isLoadBalancer(source.node) ? {} : { expect: address }),
          server: `${server.address}:53`,
          seconds: 20,
          ca,
        },
      },
    ];
  });
};

const nameIn = ({ zone }: Pick<Cluster, 'zone'>): string => `kbs-verify.apps.${zone}`;

const ingressObject = (host: string): KubeObject => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'Ingress',
  metadata: { name: 'probe' },
  spec: {
    ingressClassName: ingressClass,
    rules: [
      {
        host,
        http: {
          paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 'probe', port: { number: 80 } } } }],
        },
      },
    ],
  },
});
