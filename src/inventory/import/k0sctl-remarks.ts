import { shortList } from '../did-you-mean.js';
import type { K0sctlHost, K0sSettings } from './k0sctl-shape.js';
import { isBlank, otherKeys } from './shape.js';
import { decide, leftOut, note, type Remark, when } from './tool-cluster.js';

/** What there is to say of a host of k0sctl; paths begin at the host. */
export const hostRemarks = (written: K0sctlHost): readonly Remark[] => {
  const { role, noTaints, installFlags = [], openSSH } = written;
  const tainted = role === 'controller+worker' && noTaints !== true && !installFlags.includes('--no-taints');
  const unread = installFlags.filter((text) => !readFlags.test(text));
  const others = otherKeys(written, hostKeys);
  return [
    ...when(
      !isKnownRole(role),
      decide(['roles'], `${role} is no role of k0sctl that kbs knows; what the host does is for you to say`),
    ),
    ...when(
      tainted,
      note(['roles'], 'k0s keeps ordinary pods off this host by a taint, and kbs where it has no role worker'),
    ),
    ...when(
      unread.length > 0,
      leftOut([], `installFlags ${unread.join(' ')}: flags of k0s; kubelet settings go under kubelet here`),
    ),
    ...when(
      otherKeys(openSSH, ['address', 'user', 'port', 'keyPath']).length > 0,
      leftOut(['ssh'], 'options of openSSH: write them into ~/.ssh/config, which transport: openssh reads'),
    ),
    ...when(others.length > 0, leftOut([], `${shortList(others)}: kbs has no counterpart`)),
  ];
};

export const isKnownRole = (role: string): boolean =>
  ['controller', 'controller+worker', 'single', 'worker'].includes(role);

const readFlags = /^--(labels|taints)[= ]|^--(enable-worker|no-taints|debug)$/;

const hostKeys = [
  ...['role', 'hostname', 'privateAddress', 'noTaints', 'installFlags', 'ssh', 'openSSH', 'localhost', 'winRM'],
  // How k0sctl brings its own program there.
  ...['uploadBinary', 'k0sBinaryPath', 'k0sInstallPath', 'k0sDownloadURL', 'useExistingK0s', 'privateInterface', 'os'],
];

/** What there is to say of the settings of k0s. */
export const settingsRemarks = (spec: K0sSettings): readonly Remark[] => {
  const { api, network = {}, storage, extensions, workerProfiles = [] } = spec;
  const { provider = 'kuberouter', kubeProxy, nodeLocalLoadBalancing } = network;
  const charts = (extensions?.helm?.charts ?? []).map(({ name }) => name);
  const profiles = workerProfiles.filter(({ name }) => name !== 'default').map(({ name }) => name);
  const others = otherKeys(spec, settingKeys);
  return [
    leftOut(
      ['network', 'pods'],
      `network provider ${provider}: kbs routes pods by host-gw, without an overlay or network policies`,
    ),
    ...when(kubeProxy?.disabled === true, leftOut(['kubernetes', 'proxy'], 'kubeProxy.disabled: kbs needs kube-proxy')),
    ...when(
      nodeLocalLoadBalancing?.enabled === true,
      leftOut(['endpoint'], 'nodeLocalLoadBalancing: kbs has no proxy on each node, but load balancers before the API'),
    ),
    ...when(
      api?.port !== undefined && api.port !== 6443,
      leftOut(['endpoint'], `api.port ${api?.port}: API servers of kbs have port 6443`),
    ),
    ...when(
      storage?.type !== undefined && storage.type !== 'etcd',
      leftOut(['kubernetes'], `storage ${storage?.type}: kbs keeps the state of the cluster in etcd`),
    ),
    ...when(
      !isBlank(storage?.etcd?.externalCluster),
      leftOut(
        ['kubernetes'],
        'externalCluster: write its endpoints, with files of its CA and a client, as etcd.external; its data are of the other cluster',
      ),
    ),
    ...when(
      profiles.length > 0,
      leftOut(['kubernetes'], `workerProfiles ${profiles.join(', ')}: write their values under kubelet of the hosts`),
    ),
    ...when(
      charts.length > 0,
      leftOut(['addons'], `charts ${shortList(charts)}: charts of your own go here, see docs/addons.md`),
    ),
    ...when(others.length > 0, leftOut(['kubernetes'], `${shortList(others)} of k0s: kbs has no counterpart`)),
  ];
};

const settingKeys = [
  ...['api', 'network', 'controllerManager', 'scheduler', 'storage', 'extensions', 'workerProfiles', 'featureGates'],
  // What `k0s config create` writes in any case.
  ...['installConfig', 'konnectivity', 'telemetry'],
];
