import type { RancherAddon } from '../inventory/cluster.js';
import type { AddonRecipe } from './addon.js';
import { ingressClass } from './ingress.js';
import { secretObject } from './secret-object.js';

const version = '2.15.1';

/**
 * Rancher, behind the ingress controller. cert-manager issues its certificate by the authority of the LAN, which Rancher is
 * given too: the agents of clusters that it manages check it. Rancher makes the password of the first log-in itself, in the
 * Secret `bootstrap-secret`, where it is given none.
 */
export const rancher: AddonRecipe<RancherAddon> = {
  name: 'rancher',
  what: 'Rancher, which manages clusters',
  release: 'rancher',
  // Rancher itself expects this one.
  namespace: 'cattle-system',
  images: [],
  pulls: [`docker.io/rancher/rancher:v${version}`, 'docker.io/rancher/shell:v0.8.1'],
  published: { repository: 'https://releases.rancher.com/server-charts/stable', name: 'rancher', version },
  kubernetes: '1.36',
  kubernetesBelow: '1.37',
  needs: ['ingress', 'cert-manager'],
  web: { service: 'rancher', port: 80, answersAt: '/ping' },
  leaves: 'what Rancher has made stays: its kinds (*.cattle.io) with their objects, and the namespaces cattle-*',
  values: ({ host, replicas }, _cluster, _image, credentials) => ({
    hostname: host,
    replicas,
    privateCA: true,
    ingress: {
      ingressClassName: ingressClass,
      tls: { source: 'secret' },
      extraAnnotations: { 'cert-manager.io/cluster-issuer': 'lan' },
    },
    // Pods wait for it, so it is part of this release.
    extraObjects: [
      secretObject(
        { name: 'tls-ca', namespace: 'cattle-system', type: 'Opaque' },
        { 'cacerts.pem': credentials?.ca ?? '' },
      ),
    ],
  }),
};
