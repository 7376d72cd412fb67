import { hereDocument, raw, sh } from '../../hosts/shell.js';
import { type Cluster, isApiHost, networksOf } from '../../inventory/cluster.js';
import { adminConf, kubectl } from '../../kubernetes/kubectl.js';
import { pkiDirectory } from '../../kubernetes/paths.js';
import type { KubeObject, Resource } from '../../resources/resource.js';
import type { Secret } from '../../secret.js';
import { toYaml } from '../../templates/yaml.js';
import { apiAnswers } from '../gates.js';
import { kubeletDefaults } from '../node/kubelet.js';
import type { Phase, PhaseContext } from '../phase.js';

/** RBAC for administrators and kubeadm, and the ConfigMaps from which kubeadm reads the cluster. */
export const access: Phase = {
  name: 'access',
  ensures: "the administrator's rights, kubeadm's roles and ConfigMaps",
  appliesTo: isApiHost,
  gates: () => [apiAnswers],
  resources: (host, context) => [
    administrators(context.credentials.kubeconfig('super-admin', host.name)),
    {
      kind: 'object',
      name: 'access',
      kubeconfig: adminConf,
      objects: [...kubeadmRoles, ...kubeadmConfigMaps(context)],
    },
  ],
};

/**
 * The group of admin.conf has no rights of its own. The binding that gives them is made once with the operator's
 * super-admin.conf, which is on the host in memory only, and only while kubectl reads it: it is deleted also where the API
 * server does not answer, and where the run is interrupted.
 */
const administrators = (superAdmin: Secret): Resource => ({
  kind: 'task',
  name: 'administrators',
  check: sh`${raw(kubectl)} --request-timeout=5s get clusterrolebinding kubeadm:cluster-admins >/dev/null 2>&1`,
  input: superAdmin,
  run: sh`umask 077
kbs_conf=$(mktemp /run/kbs.XXXXXX)
trap 'rm -f "$kbs_conf"' EXIT
trap 'exit 1' HUP INT TERM
cat > "$kbs_conf"
/usr/local/bin/kubectl --cache-dir=/dev/null --kubeconfig "$kbs_conf" --request-timeout=60s apply --server-side --force-conflicts --field-manager=kbs -f - ${raw(hereDocument(JSON.stringify(administratorsBinding()), 'OBJECT'))}`,
});

const administratorsBinding = (): KubeObject =>
  clusterRoleBinding('kubeadm:cluster-admins', 'cluster-admin', ['kubeadm:cluster-admins']);

function clusterRoleBinding(name: string, role: string, groups: readonly string[]): KubeObject {
  return {
    apiVersion: rbac,
    kind: 'ClusterRoleBinding',
    metadata: { name },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
    subjects: groups.map((group) => ({ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: group })),
  };
}

const rbac = 'rbac.authorization.k8s.io/v1';
const bootstrappers = 'system:bootstrappers:kubeadm:default-node-token';

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  readonly resourceNames?: readonly string[];
}

/** A role in one namespace and its binding. */
const granted = (
  namespace: string,
  name: string,
  rule: Rule,
  subjects: readonly { readonly kind: 'Group' | 'User'; readonly name: string }[],
): readonly KubeObject[] => [
  { apiVersion: rbac, kind: 'Role', metadata: { name, namespace }, rules: [rule] },
  {
    apiVersion: rbac,
    kind: 'RoleBinding',
    metadata: { name, namespace },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
    subjects: subjects.map((subject) => ({ apiGroup: 'rbac.authorization.k8s.io', ...subject })),
  },
];

const readConfigMap = (name: string): Rule => ({
  apiGroups: [''],
  resources: ['configmaps'],
  verbs: ['get'],
  resourceNames: [name],
});

const group = (name: string) => ({ kind: 'Group', name }) as const;

/** What `kubeadm join` with a token needs, and `kubeadm` on a control plane. */
const kubeadmRoles: readonly KubeObject[] = [
  {
    apiVersion: rbac,
    kind: 'ClusterRole',
    metadata: { name: 'kubeadm:get-nodes' },
    rules: [{ apiGroups: [''], resources: ['nodes'], verbs: ['get'] }],
  },
  clusterRoleBinding('kubeadm:get-nodes', 'kubeadm:get-nodes', [bootstrappers]),
  clusterRoleBinding('kubeadm:kubelet-bootstrap', 'system:node-bootstrapper', [bootstrappers]),
  clusterRoleBinding(
    'kubeadm:node-autoapprove-bootstrap',
    'system:certificates.k8s.io:certificatesigningrequests:nodeclient',
    [bootstrappers],
  ),
  clusterRoleBinding(
    'kubeadm:node-autoapprove-certificate-rotation',
    'system:certificates.k8s.io:certificatesigningrequests:selfnodeclient',
    ['system:nodes'],
  ),
  ...granted('kube-system', 'kubeadm:kubelet-config', readConfigMap('kubelet-config'), [
    group('system:nodes'),
    group(bootstrappers),
  ]),
  ...granted('kube-system', 'kubeadm:nodes-kubeadm-config', readConfigMap('kubeadm-config'), [
    group('system:nodes'),
    group(bootstrappers),
  ]),
  ...granted('kube-public', 'kubeadm:bootstrap-signer-clusterinfo', readConfigMap('cluster-info'), [
    { kind: 'User', name: 'system:anonymous' },
  ]),
];

const kubeadmConfigMaps = (context: PhaseContext): readonly KubeObject[] => [
  configMap('kube-system', 'kubeadm-config', { ClusterConfiguration: toYaml(clusterConfiguration(context.cluster)) }),
  configMap('kube-system', 'kubelet-config', { kubelet: toYaml(foreignKubelet(context)) }),
  configMap('kube-public', 'cluster-info', { kubeconfig: clusterInfo(context) }),
];

/**
 * What `kubeadm join` gives a worker that kbs does not manage. Its kubelet must renew its own certificate, which it got
 * with a token; kbs renews those of its own kubelets.
 */
const foreignKubelet = (context: PhaseContext) => ({
  ...kubeletDefaults(context),
  cgroupDriver: 'systemd',
  rotateCertificates: true,
  staticPodPath: '/etc/kubernetes/manifests',
});

export const configMap = (namespace: string, name: string, data: Readonly<Record<string, string>>): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace },
  data,
});

/** https://kubernetes.io/docs/reference/config-api/kubeadm-config.v1beta4/ */
const clusterConfiguration = (cluster: Cluster) => ({
  apiVersion: 'kubeadm.k8s.io/v1beta4',
  kind: 'ClusterConfiguration',
  clusterName: cluster.name,
  kubernetesVersion: `v${cluster.kubernetes.version}`,
  controlPlaneEndpoint: `${cluster.endpoint.host}:${cluster.endpoint.port}`,
  certificatesDir: pkiDirectory,
  imageRepository: 'kbs.local',
  networking: {
    dnsDomain: cluster.domain,
    podSubnet: networksOf(cluster, 'pods').join(','),
    serviceSubnet: networksOf(cluster, 'services').join(','),
  },
  etcd: etcdOf(cluster),
});

const etcdOf = ({ kubernetes: { externalEtcd } }: Cluster) =>
  externalEtcd === undefined
    ? { local: { dataDir: '/var/lib/etcd' } }
    : {
        external: {
          endpoints: externalEtcd.endpoints,
          caFile: `${pkiDirectory}/etcd/ca.crt`,
          certFile: `${pkiDirectory}/apiserver-etcd-client.crt`,
          keyFile: `${pkiDirectory}/apiserver-etcd-client.key`,
        },
      };

/** The cluster's address and CA, without a user: what a token is verified against. */
const clusterInfo = ({ cluster, credentials }: PhaseContext): string =>
  toYaml({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name: '',
        cluster: {
          'certificate-authority-data': Buffer.from(credentials.clusterCa).toString('base64'),
          server: `https://${cluster.endpoint.host}:${cluster.endpoint.port}`,
        },
      },
    ],
    contexts: [],
    'current-context': '',
    users: [],
  });
