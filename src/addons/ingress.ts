import type { IngressAddon } from '../inventory/cluster.js';
import { type IngressPort, ingressPorts } from '../inventory/ingress.js';
import type { AddonRecipe } from './addon.js';

/**
 * Traefik on every worker, at NodePorts that lead to the pod of the same node alone: the address of the client stays, and
 * a load balancer sees by connecting whether that node serves.
 */
export const ingress: AddonRecipe<IngressAddon> = {
  name: 'ingress',
  what: 'HTTP and HTTPS by name for Services, by Traefik',
  release: 'traefik',
  namespace: 'traefik',
  images: [],
  pulls: ['docker.io/traefik:v3.7.11'],
  published: { repository: 'https://traefik.github.io/charts', name: 'traefik', version: '41.3.0' },
  kubernetes: '1.25',
  needs: [],
  leaves: 'Ingresses stay, and nothing answers for them any more; the kinds that Traefik brings stay, too',
  values: (_addon, { hosts, endpoint }) => {
    const balancers = hosts.filter(({ roles }) => roles.includes('load-balancer')).map(({ address }) => address);
    const port = ({ nodePort }: IngressPort) => ({
      nodePort,
      ...(balancers.length === 0 ? {} : { proxyProtocol: { trustedIPs: [...balancers] } }),
    });
    return {
      deployment: { kind: 'DaemonSet' },
      service: { spec: { type: 'NodePort', externalTrafficPolicy: 'Local' } },
      ports: Object.fromEntries(ingressPorts.map((each) => [each.name, port(each)])),
      // A NodePort has no address of its own that Ingresses could show in their status.
      providers: {
        kubernetesIngress: {
          publishedService: { enabled: false },
          ...(endpoint.ingress && endpoint.address !== undefined ? { ingressEndpoint: { ip: endpoint.address } } : {}),
        },
      },
      global: { checkNewVersion: false },
    };
  },
};
