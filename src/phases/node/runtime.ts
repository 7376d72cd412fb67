import type { BinaryName } from '../../artifacts/artifacts.js';
import { referenceOf } from '../../artifacts/artifacts.js';
import { type Cluster, type ClusterHost, isNode, isNvidiaNode } from '../../inventory/cluster.js';
import type { FileResource, Resource } from '../../resources/resource.js';
import { render } from '../../templates/render.js';
import { artifactsOf } from '../artifacts-of.js';
import { runtimeCleanup } from '../cleanup.js';
import { fingerprint } from '../fingerprint.js';
import type { Phase, PhaseContext } from '../phase.js';
import { systemdSetting } from '../systemd-quote.js';
import { registryFiles } from './registries.js';

/** containerd, runc and the CNI plugins. */
export const runtime: Phase = {
  name: 'runtime',
  ensures: 'containerd runs, with runc and the CNI plugins beside it',
  appliesTo: isNode,
  resources(host, context) {
    const configuration = containerdFiles(host, context);
    return [
      ...ownDirectories,
      ...configuration,
      ...registryFiles(context.cluster, context.credentials),
      ...binaries('/usr/local/bin', ['containerd', 'containerd-shim-runc-v2', 'ctr', 'runc'], host, context),
      {
        kind: 'unit',
        name: 'containerd.service',
        runs: 'service',
        text: render('containerd.service', {
          oomAdjustable: context.facts(host.name).oomAdjustable,
          environment: proxyEnvironment(context.cluster),
        }),
        inputs: [fingerprint(configuration), artifactsOf(host, context).binary('containerd').sha256],
      },
      ...cniPlugins(host, context),
    ];
  },
  cleanup: () => runtimeCleanup,
};

/** containerd would make them too; so they are known to be new, and go when the host leaves. */
const ownDirectories: readonly Resource[] = [
  { kind: 'directory', path: '/var/lib/containerd', mode: '0700' },
  { kind: 'directory', path: '/opt/containerd/bin', mode: '0711', shared: true },
  { kind: 'directory', path: '/opt/containerd/lib', mode: '0711', shared: true },
  { kind: 'directory', path: '/etc/cni/net.d', mode: '0755', shared: true },
];

/** In both spellings, for what reads only one. */
const proxyEnvironment = ({ proxy }: Cluster): readonly string[] =>
  proxy === undefined
    ? []
    : [
        ['HTTP_PROXY', proxy.url] as const,
        ['HTTPS_PROXY', proxy.url] as const,
        ['NO_PROXY', proxy.exclude.join(',')] as const,
      ].flatMap(([name, value]) => [name, name.toLowerCase()].map((each) => systemdSetting(`${each}=${value}`)));

export const binaries = (
  directory: string,
  names: readonly BinaryName[],
  host: ClusterHost,
  context: PhaseContext,
): readonly Resource[] =>
  names.map((name) => ({
    kind: 'binary',
    path: `${directory}/${name}`,
    content: artifactsOf(host, context).binary(name),
  }));

/** kbs's settings are one drop-in; other files beside it are never touched. */
const containerdFiles = (host: ClusterHost, { artifacts, facts }: PhaseContext): readonly FileResource[] => {
  const { cgroup, oomAdjustable } = facts(host.name);
  const settings = {
    pause: referenceOf(artifacts, 'pause'),
    restrictOomScore: !oomAdjustable,
    systemdCgroup: cgroup === 'v2',
    nvidia: isNvidiaNode(host),
  };
  return [
    file('/etc/containerd/config.toml', render('containerd.toml', {})),
    file('/etc/containerd/conf.d/50-kbs.toml', render('containerd-kbs.toml', settings)),
  ];
};

const file = (path: string, content: string): FileResource => ({ kind: 'file', path, content, mode: '0644' });

const cniPlugins = (host: ClusterHost, context: PhaseContext): readonly Resource[] =>
  (['bridge', 'host-local', 'loopback', 'portmap', 'bandwidth'] as const).map((plugin) => ({
    kind: 'binary',
    path: `/opt/cni/bin/${plugin}`,
    content: artifactsOf(host, context).binary(`cni-${plugin}`),
  }));
