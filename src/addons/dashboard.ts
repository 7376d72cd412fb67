import type { DashboardAddon } from '../inventory/cluster.js';
import type { AddonRecipe } from './addon.js';

/**
 * Headlamp. A person logs in with a token, and sees and does what that token may: the ServiceAccount of the chart, whose
 * tokens are the usual ones, may only look (`view`), and not do everything (`cluster-admin`, as the chart has it).
 */
export const dashboard: AddonRecipe<DashboardAddon> = {
  name: 'dashboard',
  what: 'a web interface of the cluster, by Headlamp',
  release: 'headlamp',
  namespace: 'headlamp',
  images: [],
  pulls: ['ghcr.io/headlamp-k8s/headlamp:v0.45.0'],
  published: {
    repository: 'https://kubernetes-sigs.github.io/headlamp',
    name: 'headlamp',
    version: '0.45.0',
    sha256: '38c619e0ed5db4164b02c353bcbb24e8157c1d98d961b292f99d68cc9316b8eb',
  },
  // Its log-in is by a token of `kubectl create token`, which is as old as this.
  kubernetes: '1.24',
  needs: [],
  web: { service: 'headlamp', port: 80, viewer: 'headlamp' },
  values: ({ host }) => ({
    clusterRoleBinding: { clusterRoleName: 'view' },
    // Nothing is logged in by OIDC, and the chart would make an empty Secret for it.
    config: { oidc: { secret: { create: false } } },
    ...(host === undefined ? {} : { ingress: ingressFor(host) }),
  }),
};

/** Over TLS with the ingress controller's own certificate, for none is named here. */
const ingressFor = (host: string) => ({
  enabled: true,
  hosts: [{ host, paths: [{ path: '/', type: 'Prefix' }] }],
  tls: [{ hosts: [host] }],
});
