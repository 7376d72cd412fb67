import { type ClusterHost, isControlPlane, isNode } from '../../inventory/cluster.js';
import type { KubeconfigName } from '../../pki/credentials.js';
import type { FileResource, Resource } from '../../resources/resource.js';
import { Secret } from '../../secret.js';
import { controlPlaneRolling } from '../control-plane/rolling.js';
import type { Phase, PhaseContext } from '../phase.js';

/** Certificates, keys and kubeconfigs, in kubeadm's layout. */
export const certificates: Phase = {
  name: 'certificates',
  ensures: "the host's certificates, keys and kubeconfigs",
  appliesTo: (host) => isNode(host) || isControlPlane(host),
  rolling: controlPlaneRolling,
  resources: (host, context) => [
    { kind: 'directory', path: pkiDirectory, mode: '0755' },
    ...(isControlPlane(host) ? [{ kind: 'directory', path: `${pkiDirectory}/etcd`, mode: '0755' } as const] : []),
    ...(isNode(host) ? kubeletDirectories : []),
    ...credentialFiles(host, context),
    ...kubeconfigs(host, context),
  ],
};

const pkiDirectory = '/etc/kubernetes/pki';

const kubeletDirectories: readonly Resource[] = [
  { kind: 'directory', path: '/var/lib/kubelet', mode: '0700' },
  { kind: 'directory', path: '/var/lib/kubelet/pki', mode: '0700' },
];

/** The host's PKI files; phases that start what reads them fingerprint the same list. */
export const credentialFiles = (host: ClusterHost, { credentials }: PhaseContext): readonly FileResource[] =>
  credentials.files(host.name).map(({ path, content }) => ({
    kind: 'file',
    path: path.startsWith('/') ? path : `${pkiDirectory}/${path}`,
    content,
    mode: content instanceof Secret ? '0600' : '0644',
  }));

export const kubeconfigFile = (
  client: KubeconfigName,
  host: ClusterHost,
  { credentials }: PhaseContext,
): FileResource => ({
  kind: 'file',
  path: `/etc/kubernetes/${client}.conf`,
  content: credentials.kubeconfig(client, host.name),
  mode: '0600',
});

const kubeconfigs = (host: ClusterHost, context: PhaseContext): readonly Resource[] => {
  const clients: readonly KubeconfigName[] = [
    ...(isNode(host) ? (['kubelet'] as const) : []),
    ...(isControlPlane(host) ? (['admin', 'controller-manager', 'scheduler'] as const) : []),
  ];
  return clients.map((client) => kubeconfigFile(client, host, context));
};
