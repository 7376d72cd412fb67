import { isAddress } from '../../inventory/addresses.js';
import { type ClusterHost, isControlPlane, isNode } from '../../inventory/cluster.js';
import { taint } from '../../resources/node-object.js';
import type { FileResource, Resource } from '../../resources/resource.js';
import { render } from '../../templates/render.js';
import { toYaml } from '../../templates/yaml.js';
import { artifactsOf } from '../artifacts-of.js';
import { podCleanup } from '../cleanup.js';
import { controlPlaneRolling } from '../control-plane/rolling.js';
import { withGates } from '../feature-gates.js';
import { fingerprint } from '../fingerprint.js';
import type { Phase, PhaseContext } from '../phase.js';
import { credentialFiles, kubeconfigFile } from './certificates.js';
import { binaries } from './runtime.js';

/** The kubelet. It waits for the API by itself, so nothing waits for it. */
export const kubelet: Phase = {
  name: 'kubelet',
  ensures: 'the kubelet runs',
  appliesTo: isNode,
  rolling: controlPlaneRolling,
  resources(host, context) {
    const configuration = kubeletConfiguration(host, context);
    const inputs = [
      configuration,
      kubeconfigFile('kubelet', host, context),
      ...credentialFiles(host, context).filter(read),
    ];
    return [
      ...binaries('/usr/local/bin', ['kubelet'], host, context),
      { kind: 'directory', path: '/etc/kubernetes/manifests', mode: '0755' },
      ...ownDirectories,
      ...ownSysctls,
      configuration,
      ...(hasOwnResolvers(host, context) ? [resolvers(host, context)] : []),
      {
        kind: 'unit',
        name: 'kubelet.service',
        runs: 'service',
        text: render('kubelet.service', { flags: kubeletFlags(host) }),
        inputs: [fingerprint(inputs), artifactsOf(host, context).binary('kubelet').sha256],
        keep: 'until-removed',
      },
    ];
  },
  cleanup: () => podCleanup,
};

/** The kubelet, and kube-proxy's pod for the last one, would make them. kbs makes them first, so that it can remove them when the host leaves. */
const ownDirectories: readonly Resource[] = [
  { kind: 'directory', path: '/var/log/pods', mode: '0750' },
  { kind: 'directory', path: '/var/log/containers', mode: '0755' },
  { kind: 'directory', path: '/usr/libexec/kubernetes/kubelet-plugins/volume/exec', mode: '0755', shared: true },
  // A kernel's package brings its modules here.
  { kind: 'directory', path: '/lib/modules', mode: '0755', shared: true },
];

/** The kubelet would set them. kbs sets them first, so that it knows the former values and restores them when the host leaves. */
const ownSysctls: readonly Resource[] = [
  { kind: 'sysctl', name: 'vm.overcommit_memory', value: '1' },
  { kind: 'sysctl', name: 'vm.panic_on_oom', value: '0' },
  { kind: 'sysctl', name: 'kernel.panic', value: '10' },
  { kind: 'sysctl', name: 'kernel.panic_on_oops', value: '1' },
  { kind: 'sysctl', name: 'kernel.keys.root_maxkeys', value: '1000000' },
  { kind: 'sysctl', name: 'kernel.keys.root_maxbytes', value: '25000000' },
];

/** The credential files that the kubelet itself reads. */
const read = ({ path }: FileResource): boolean =>
  path === '/etc/kubernetes/pki/ca.crt' || path.startsWith('/var/lib/kubelet/pki/');

const kubeletFlags = (host: ClusterHost): readonly string[] => [
  '--config=/var/lib/kubelet/config.yaml',
  '--kubeconfig=/etc/kubernetes/kubelet.conf',
  `--hostname-override=${host.name}`,
  `--node-ip=${[host.address, ...(host.ipv6 === undefined ? [] : [host.ipv6.address])].join(',')}`,
];

const kubeletConfiguration = (host: ClusterHost, context: PhaseContext): FileResource => ({
  kind: 'file',
  path: '/var/lib/kubelet/config.yaml',
  mode: '0644',
  content: toYaml({
    ...kubeletDefaults(context),
    ...host.kubelet,
    ...withGates(context.cluster.kubernetes.featureGates, host.kubelet ?? {}),
    cgroupDriver: context.facts(host.name).cgroup === 'v2' ? 'systemd' : 'cgroupfs',
    ...(host.swap === undefined ? {} : { failSwapOn: false, memorySwap: { swapBehavior: host.swap } }),
    ...(context.facts(host.name).cgroup === 'v1' ? { failCgroupV1: false } : {}),
    resolvConf: hasOwnResolvers(host, context) ? resolversPath : context.facts(host.name).resolvConf,
    ...(host.taints.length > 0 ? { registerWithTaints: host.taints.map(taint) } : {}),
    ...(isControlPlane(host) ? { staticPodPath: '/etc/kubernetes/manifests' } : {}),
    tlsCertFile: '/var/lib/kubelet/pki/kubelet.crt',
    tlsPrivateKeyFile: '/var/lib/kubelet/pki/kubelet.key',
  }),
});

/** Whether pods that ask the host's resolvers could ask none of them, and the inventory names others. */
const hasOwnResolvers = ({ name }: ClusterHost, { cluster, facts }: PhaseContext): boolean => {
  const { nameservers, hostOnlyNameservers } = facts(name);
  return cluster.upstreams.length > 0 && hostOnlyNameservers.length > 0 && !nameservers.some(isAddress);
};

/** More than three servers are read by no resolver (resolv.conf(5)). */
const resolvers = ({ name }: ClusterHost, { cluster, facts }: PhaseContext): FileResource => ({
  kind: 'file',
  path: resolversPath,
  mode: '0644',
  content: [
    '# Written by kbs: resolvers for pods that take those of the host, which are for the host alone.',
    ...(facts(name).searchDomains.length === 0 ? [] : [`search ${facts(name).searchDomains.join(' ')}`]),
    ...cluster.upstreams.slice(0, 3).map((upstream) => `nameserver ${upstream}`),
    '',
  ].join('\n'),
});

const resolversPath = '/etc/kbs/resolv.conf';

/** What is the same on every host; also published in the ConfigMap kubelet-config, where kubeadm looks for it. */
export const kubeletDefaults = ({ cluster }: Pick<PhaseContext, 'cluster'>): Readonly<Record<string, unknown>> => ({
  apiVersion: 'kubelet.config.k8s.io/v1beta1',
  kind: 'KubeletConfiguration',
  authentication: {
    anonymous: { enabled: false },
    webhook: { enabled: true },
    x509: { clientCAFile: '/etc/kubernetes/pki/ca.crt' },
  },
  authorization: { mode: 'Webhook' },
  clusterDNS: [cluster.network.dnsServiceAddress],
  clusterDomain: cluster.domain,
  containerRuntimeEndpoint: 'unix:///run/containerd/containerd.sock',
  healthzBindAddress: '127.0.0.1',
  rotateCertificates: false,
  ...withGates(cluster.kubernetes.featureGates, {}),
  tlsMinVersion: 'VersionTLS12',
});
