import type { Arch } from '../arch.js';
import { type BinaryName, type ImageName, imagePrefix } from '../artifacts.js';
import { isForAddons } from '../bundle-catalogue.js';
import { known, knownVersions } from '../catalogue.js';
import type { Release } from '../release.js';
import type { Signer } from './signature.js';

/** Where the projects publish what a cluster of one release is made of, for one architecture. */
export interface Sources {
  readonly files: readonly SourceFile[];
  readonly images: readonly SourceImage[];
}

/** A file that a project publishes: a program, or a `.tar.gz` of several. */
export interface SourceFile {
  readonly name: string;
  readonly version: string;
  readonly url: string;
  /** Where its sha256 is published. */
  readonly checksum: string;
  /** Whose signature that has; absent where it has none that kbs checks. */
  readonly signedBy?: Signer;
  /** What a bundle takes of it. */
  readonly holds: readonly HeldProgram[];
}

export interface HeldProgram {
  readonly name: BinaryName;
  /** Its path in the archive; absent where the file is the program. */
  readonly member?: string;
}

export interface SourceImage {
  readonly name: ImageName;
  readonly version: string;
  /** As the project's users pull it: `registry.k8s.io/kube-proxy:v1.36.3`. */
  readonly published: string;
  /** What pods name it by: `kbs.local/kube-proxy:v1.36.3`. */
  readonly reference: string;
}

/** With or without what only add-ons need. */
export const sourcesOf = (release: Release, arch: Arch, { addons = false } = {}): Sources => ({
  files: [...filesOf(release, arch), ...(addons ? filesForAddons(release, arch) : [])],
  images: (Object.keys(published) as (keyof typeof published)[])
    .filter((name) => addons || !isForAddons(name))
    .map((name) => imageOf(name, release)),
});

/** The hosts of the internet that a bundle with add-ons is made of, images by the registry that their names begin with. */
export const publishedHosts = (version = knownVersions()[0] ?? ''): readonly string[] => {
  const { files, images } = sourcesOf(known(version), 'amd64', { addons: true });
  const hosts = [
    ...files.map(({ url }) => new URL(url).host),
    ...images.map(({ published: name }) => name.slice(0, name.indexOf('/'))),
  ];
  return [...new Set([...hosts, 'proxy.golang.org'])];
};

const filesOf = (release: Release, arch: Arch): readonly SourceFile[] => {
  const version = (program: string) => versionOf(release, program);
  return [
    ...(
      [
        'kubelet',
        'kubectl',
        'kubeadm',
        'kube-proxy',
        'kube-apiserver',
        'kube-controller-manager',
        'kube-scheduler',
      ] as const
    ).map((name): SourceFile => {
      const url = `https://dl.k8s.io/release/v${release.kubernetes}/bin/linux/${arch}/${name}`;
      return { name, version: release.kubernetes, url, checksum: `${url}.sha256`, holds: [{ name }] };
    }),
    // Linked statically: it runs beside whichever C library a host has.
    archiveOf(
      'containerd',
      version('containerd'),
      onGitHub('containerd/containerd', version('containerd'), `containerd-static-$V-linux-${arch}.tar.gz`),
      '.sha256sum',
      ['containerd', 'containerd-shim-runc-v2', 'ctr'].map((name) => [name as BinaryName, `bin/${name}`]),
    ),
    {
      name: 'runc',
      version: version('runc'),
      url: onGitHub('opencontainers/runc', version('runc'), `runc.${arch}`),
      checksum: onGitHub('opencontainers/runc', version('runc'), 'runc.sha256sum'),
      signedBy: 'runc',
      holds: [{ name: 'runc' }],
    },
    archiveOf(
      'cni-plugins',
      version('cni-bridge'),
      onGitHub('containernetworking/plugins', version('cni-bridge'), `cni-plugins-linux-${arch}-v$V.tgz`),
      '.sha256',
      ['bridge', 'host-local', 'loopback', 'portmap', 'bandwidth'].map((name) => [`cni-${name}` as BinaryName, name]),
    ),
    {
      ...archiveOf(
        'etcd',
        version('etcd'),
        onGitHub('etcd-io/etcd', version('etcd'), `etcd-v$V-linux-${arch}.tar.gz`),
        '',
        (['etcd', 'etcdctl', 'etcdutl'] as const).map((name) => [
          name,
          `etcd-v${version('etcd')}-linux-${arch}/${name}`,
        ]),
      ),
      checksum: onGitHub('etcd-io/etcd', version('etcd'), 'SHA256SUMS'),
    },
    archiveOf(
      'coredns',
      version('coredns'),
      onGitHub('coredns/coredns', version('coredns'), `coredns_$V_linux_${arch}.tgz`),
      '.sha256',
      [['coredns', 'coredns']],
    ),
  ];
};

const filesForAddons = (release: Release, arch: Arch): readonly SourceFile[] => {
  const [helm, exporter] = [versionOf(release, 'helm'), versionOf(release, 'node-exporter')];
  const nodeExporter = `node_exporter-${exporter}.linux-${arch}`;
  return [
    archiveOf('helm', helm, `https://get.helm.sh/helm-v${helm}-linux-${arch}.tar.gz`, '.sha256sum', [
      ['helm', `linux-${arch}/helm`],
    ]),
    {
      ...archiveOf(
        'node-exporter',
        exporter,
        onGitHub('prometheus/node_exporter', exporter, `${nodeExporter}.tar.gz`),
        '',
        [['node-exporter', `${nodeExporter}/node_exporter`]],
      ),
      checksum: onGitHub('prometheus/node_exporter', exporter, 'sha256sums.txt'),
    },
  ];
};

const archiveOf = (
  name: string,
  version: string,
  url: string,
  checksumSuffix: string,
  holds: readonly (readonly [BinaryName, string])[],
): SourceFile => ({
  name,
  version,
  url,
  checksum: `${url}${checksumSuffix}`,
  holds: holds.map(([binary, member]) => ({ name: binary, member })),
});

/** A file of a release; `$V` is the version. */
const onGitHub = (project: string, version: string, file: string): string =>
  `https://github.com/${project}/releases/download/v${version}/${file.replaceAll('$V', version)}`;

/** Repository of each image, and its tag where that is not kbs's own. */
const published = {
  pause: { repository: 'registry.k8s.io/pause', tag: '3.10.2' },
  etcd: { repository: 'quay.io/coreos/etcd', prefix: 'v' },
  'kube-apiserver': { repository: 'registry.k8s.io/kube-apiserver' },
  'kube-controller-manager': { repository: 'registry.k8s.io/kube-controller-manager' },
  'kube-scheduler': { repository: 'registry.k8s.io/kube-scheduler' },
  'kube-proxy': { repository: 'registry.k8s.io/kube-proxy' },
  coredns: { repository: 'docker.io/coredns/coredns' },
  busybox: { repository: 'docker.io/library/busybox', tag: '1.37.0' },
  'local-path-provisioner': { repository: 'docker.io/rancher/local-path-provisioner', prefix: 'v' },
  'metrics-server': { repository: 'registry.k8s.io/metrics-server/metrics-server', prefix: 'v' },
  'metallb-controller': { repository: 'quay.io/metallb/controller', prefix: 'v' },
  'metallb-speaker': { repository: 'quay.io/metallb/speaker', prefix: 'v' },
  traefik: { repository: 'docker.io/library/traefik' },
  prometheus: { repository: 'quay.io/prometheus/prometheus' },
  'prometheus-operator': { repository: 'quay.io/prometheus-operator/prometheus-operator' },
  'prometheus-config-reloader': { repository: 'quay.io/prometheus-operator/prometheus-config-reloader' },
  alertmanager: { repository: 'quay.io/prometheus/alertmanager' },
  'kube-state-metrics': { repository: 'registry.k8s.io/kube-state-metrics/kube-state-metrics' },
} as const satisfies { readonly [name in ImageName]?: Published };

interface Published {
  readonly repository: string;
  /** Where the project's version is not the one of kbs's own image. */
  readonly tag?: string;
  /** What the project writes before kbs's tag. */
  readonly prefix?: string;
}

const imageOf = (name: keyof typeof published, release: Release): SourceImage => {
  const { repository, tag, prefix = '' }: Published = published[name];
  const own = release.images[name].reference;
  const version = tag ?? own.slice(own.lastIndexOf(':') + 1);
  return {
    name,
    version,
    published: `${repository}:${prefix}${version}`,
    reference: tag === undefined ? own : `${imagePrefix}${name}:${tag}`,
  };
};

const versionOf = (release: Release, program: string): string => {
  const found = release.programs.find(({ name }) => name === program);
  if (found === undefined) throw new Error(`the release does not name ${program}`);
  return found.version;
};
