import { nthAddress } from '../inventory/addresses.js';
import { type IngressAddon, ingressPorts, isNode, loadBalancers } from '../inventory/cluster.js';
import type { IngressCredentials } from '../pki/credentials.js';
import type { AddonCluster, AddonRecipe } from './addon.js';
import { secretObject } from './secret-object.js';
import { withRegistry } from './with-registry.js';

/** Traefik on every worker. */
export const ingress: AddonRecipe<IngressAddon> = {
  name: 'ingress',
  what: 'Ingress objects: HTTP and HTTPS by name, by Traefik on every worker',
  release: 'traefik',
  namespace: 'traefik',
  images: ['traefik'],
  published: { repository: 'https://traefik.github.io/charts', name: 'traefik', version: '41.3.0' },
  kubernetes: '1.25',
  needs: [],
  leaves: 'Ingress objects stay, and nothing answers for them any more; the kinds that Traefik brings stay, too',
  values: (_addon, cluster, image, credentials) => ({
    image: { ...withRegistry(image('traefik')), pullPolicy: 'IfNotPresent' },
    deployment: { kind: 'DaemonSet' },
    // Workers alone are targets of the load balancers, and all of them, with taints too.
    nodeSelector: { 'node-role.kubernetes.io/worker': '' },
    tolerations: [{ operator: 'Exists', effect: 'NoSchedule' }],
    global: { checkNewVersion: false },
    providers: { kubernetesIngress: statusOf(cluster) },
    readinessProbe: { initialDelaySeconds: 1, periodSeconds: 2 },
    ...(cluster.endpoint.ingress ? behindLoadBalancers(cluster) : onHostPorts),
    ...(credentials?.shown === undefined ? {} : defaultCertificate(credentials.shown)),
  }),
};

/** What the status of Ingress objects shows: a Service that is no LoadBalancer has no address that it could be taken from. */
const statusOf = ({ endpoint }: AddonCluster) => ({
  publishedService: { enabled: false },
  ...(endpoint.ingress && endpoint.address !== undefined ? { ingressEndpoint: { ip: endpoint.address } } : {}),
});

/** The class of its Ingress objects, and the default one. */
export const ingressClass = 'traefik';

const entryPoints = ['web', 'websecure'] as const;

const byEntryPoint = (valuesOf: (ports: (typeof ingressPorts)[number]) => object): object =>
  Object.fromEntries(ingressPorts.map((ports, index) => [entryPoints[index], valuesOf(ports)]));

/**
 * A node hands connections to its own pod alone, so that the load balancers check the controller of each, and the client
 * that they name is believed: without that policy, packets would have the address of the node that passed them on.
 */
const behindLoadBalancers = (cluster: AddonCluster) => ({
  service: { spec: { type: 'NodePort', externalTrafficPolicy: 'Local' } },
  updateStrategy: { rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
  ports: byEntryPoint(({ nodePort }) => ({ nodePort, proxyProtocol: { trustedIPs: trusted(cluster) } })),
});

/** A port of a host is for one pod at a time. */
const onHostPorts = {
  service: { spec: { type: 'ClusterIP' } },
  updateStrategy: { rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } },
  ports: byEntryPoint(({ port }) => ({ hostPort: port })),
};

/** What haproxy's packets come from: of a node, kube-proxy gives those to its own pods the address of the pods' bridge. */
const trusted = ({ hosts }: AddonCluster): readonly string[] =>
  loadBalancers({ hosts }).flatMap((host) => [
    `${host.address}/32`,
    ...(isNode(host) ? [`${nthAddress(host.podCidr ?? '', 1)}/32`] : []),
  ]);

const folder = '/etc/traefik-default';

/**
 * By the provider of files: kubelet puts a renewed certificate where the old one was, and Traefik takes it without a
 * restart.
 */
const defaultCertificate = ({ certificate, key }: NonNullable<IngressCredentials['shown']>) => ({
  additionalArguments: [`--providers.file.directory=${folder}`, '--providers.file.watch=true'],
  volumes: [{ name: 'traefik-default', mountPath: folder, type: 'secret' }],
  extraObjects: [
    secretObject(
      { name: 'traefik-default', namespace: 'traefik', type: 'Opaque' },
      {
        'tls.crt': certificate,
        'tls.key': key,
        'default.yml': JSON.stringify({
          tls: {
            stores: {
              default: { defaultCertificate: { certFile: `${folder}/tls.crt`, keyFile: `${folder}/tls.key` } },
            },
          },
        }),
      },
    ),
  ],
});
