import type { Values } from '../../inventory/cluster.js';
import type { FileResource, Resource } from '../../resources/resource.js';
import { Secret } from '../../secret.js';
import { toYaml } from '../../templates/yaml.js';
import type { PhaseContext } from '../phase.js';
import { admissionPath, auditPolicyPath, authenticationPath, encryptionPath } from './flags.js';

/** What the API server reads besides certificates: encryption at rest, and what kbs or the owner has it do. */
export const apiServerFiles = ({
  cluster: { kubernetes },
  credentials,
}: PhaseContext): readonly (FileResource & Resource)[] => {
  const { audit, admission, authentication: ownAuthentication } = kubernetes.apiServer ?? {};
  return [
    { kind: 'file', path: encryptionPath, mode: '0600', content: encryption(credentials.encryptionKey) },
    ownAuthentication === undefined
      ? { kind: 'file', path: authenticationPath, mode: '0644', content: toYaml(authentication) }
      : ownersFile(authenticationPath, { ...ownAuthentication, anonymous: authentication.anonymous }),
    audit?.policy === undefined
      ? { kind: 'file', path: auditPolicyPath, mode: '0644', content: toYaml(auditPolicy) }
      : ownersFile(auditPolicyPath, audit.policy),
    ...(admission === undefined ? [] : [ownersFile(admissionPath, admission)]),
  ];
};

/** Only root may read it: what the owner of the cluster writes there may not be meant for other users of the host. */
const ownersFile = (path: string, value: Values): FileResource & Resource => ({
  kind: 'file',
  path,
  mode: '0600',
  content: toYaml(value),
});

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
