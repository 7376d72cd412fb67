import type { CertManagerAddon, Values } from '../inventory/cluster.js';
import type { IngressCredentials } from '../pki/credentials.js';
import type { AddonRecipe } from './addon.js';
import { ingressClass } from './ingress.js';
import { secretObject } from './secret-object.js';

const version = 'v1.21.2';

/** cert-manager by its own chart, with issuers: `lan` by the authority of the keyring, and `acme` where it is asked for. */
export const certManager: AddonRecipe<CertManagerAddon> = {
  name: 'cert-manager',
  what: 'certificates as objects, by cert-manager, from an authority of the LAN or by ACME',
  release: 'cert-manager',
  namespace: 'cert-manager',
  images: [],
  pulls: ['controller', 'webhook', 'cainjector', 'acmesolver', 'startupapicheck'].map(
    (program) => `quay.io/jetstack/cert-manager-${program}:${version}`,
  ),
  published: {
    repository: 'https://charts.jetstack.io',
    name: 'cert-manager',
    version,
    sha256: '73a56e1728edd6c99f1f31082618c3259d279a76b7ebd3d4bdc5475c2442d34a',
  },
  kubernetes: '1.22',
  needs: [],
  leaves: 'its kinds stay with Certificates and other objects of them, and so do the Secrets of certificates',
  values: () => ({ crds: { enabled: true } }),
  objects: ({ acme }, credentials) => [
    ...(credentials === undefined ? [] : [authority(credentials), issuer('lan', { ca: { secretName: lanSecret } })]),
    ...(acme === undefined
      ? []
      : [
          issuer('acme', {
            acme: {
              ...acme,
              privateKeySecretRef: { name: 'acme-account' },
              solvers: [{ http01: { ingress: { ingressClassName: ingressClass } } }],
            },
          }),
        ]),
  ],
};

const lanSecret = 'lan-ca';

/** A ClusterIssuer reads its Secrets in the namespace of cert-manager. */
const authority = ({ ca, caKey }: IngressCredentials): Values =>
  secretObject(
    { name: lanSecret, namespace: 'cert-manager', type: 'kubernetes.io/tls' },
    { 'tls.crt': ca, 'tls.key': caKey },
  );

const issuer = (name: string, spec: Values): Values => ({
  apiVersion: 'cert-manager.io/v1',
  kind: 'ClusterIssuer',
  metadata: { name },
  spec,
});
