import type { FileResource, Resource } from '../../resources/resource.js';
import { Secret } from '../../secret.js';
import { toYaml } from '../../templates/yaml.js';
import type { PhaseContext } from '../phase.js';
import { auditPolicyPath, authenticationPath, encryptionPath } from './flags.js';

/** What the API server reads besides certificates: encryption at rest, authentication and the audit policy. */
export const apiServerFiles = ({ credentials }: PhaseContext): readonly (FileResource & Resource)[] => [
  { kind: 'file', path: encryptionPath, mode: '0600', content: encryption(credentials.encryptionKey) },
  { kind: 'file', path: authenticationPath, mode: '0644', content: toYaml(authentication) },
  { kind: 'file', path: auditPolicyPath, mode: '0644', content: toYaml(auditPolicy) },
];

/** Secrets at rest, by secretbox; `identity` last, so that what was written before can still be read. */
const encryption = (key: Secret): Secret =>
  new Secret(
    toYaml({
      apiVersion: 'apiserver.config.k8s.io/v1',
      kind: 'EncryptionConfiguration',
      resources: [
        {
          resources: ['secrets'],
          providers: [{ secretbox: { keys: [{ name: 'key1', secret: key.reveal() }] } }, { identity: {} }],
        },
      ],
    }),
  );

/** Anonymous requests reach the health endpoints, and the one ConfigMap from which `kubeadm join` starts. */
const authentication = {
  apiVersion: 'apiserver.config.k8s.io/v1',
  kind: 'AuthenticationConfiguration',
  anonymous: {
    enabled: true,
    conditions: ['/livez', '/readyz', '/healthz', '/api/v1/namespaces/kube-public/configmaps/cluster-info'].map(
      (path) => ({
        path,
      }),
    ),
  },
};

/** Audits requests, except those by which the system watches itself, and never the content of a Secret. */
const auditPolicy = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [
    { level: 'None', nonResourceURLs: ['/livez*', '/readyz*', '/healthz*', '/version', '/metrics', '/openapi/*'] },
    {
      level: 'None',
      resources: [
        { group: '', resources: ['events'] },
        { group: 'coordination.k8s.io', resources: ['leases'] },
      ],
    },
    {
      level: 'None',
      userGroups: ['system:nodes', 'system:serviceaccounts:kube-system'],
      verbs: ['get', 'list', 'watch'],
    },
    {
      level: 'Metadata',
      resources: [
        { group: '', resources: ['secrets', 'configmaps', 'serviceaccounts/token'] },
        { group: 'authentication.k8s.io', resources: ['tokenreviews'] },
      ],
    },
    { level: 'Metadata', verbs: ['get', 'list', 'watch'] },
    { level: 'Request' },
  ],
};
