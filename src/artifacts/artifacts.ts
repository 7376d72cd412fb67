import type { Arch } from './arch.js';

/** What a cluster of one Kubernetes version is made of, for each architecture that there is. */
export interface Artifacts {
  /** At least one, without those that the bundle lacks. */
  readonly architectures: readonly Arch[];
  /**
   * The chart of an add-on, by the add-on's name, or `objectsChart`. Where the bundle has none, one without content: a run refuses such an
   * add-on before it compares.
   */
  chart(addon: string): Chart;
  /**
   * What hosts of one architecture get. An image has the same reference on each, and a digest of its own. Where there is
   * nothing for an architecture, names without content: a run refuses such a host before it compares.
   */
  of(arch: Arch): HostArtifacts;
}

/** The artifacts of one architecture: where each lies on this machine, or where hosts download it. */
export interface HostArtifacts extends Pick<StoredArtifacts, 'unpacker' | 'repository'> {
  binary(name: BinaryName): StoredFile | PublishedFile;
  image(name: ImageName): ImageArchive | PublishedImage;
}

/** The same where kbs sends all of them. */
export interface StoredArtifacts {
  binary(name: BinaryName): StoredFile;
  image(name: ImageName): ImageArchive;
  /** `unzstd`, where something is packed with zstd. */
  unpacker(): StoredFile | undefined;
  /**
   * A tar of a small apt repository for a distribution, `ubuntu-24.04`: haproxy, keepalived and all they depend on. A bundle
   * has those that it was made with.
   */
  repository(distribution: string): StoredFile | undefined;
}

/**
 * What kbs's own chart of plain objects is asked by. It is no DNS label, so no add-on has this name.
 */
export const objectsChart = 'kbs/objects';

/** A Helm chart as it travels to a host. */
export interface Chart {
  /** As its Chart.yaml says. */
  readonly name: string;
  readonly version: string;
  /** Hex digest of `tgz`. */
  readonly sha256: string;
  /** What `helm` takes for a chart, in memory: a release keeps its chart in a Secret, so it is never large. Empty where it is not built. */
  readonly tgz: Uint8Array;
}

export type BinaryName =
  | 'kubelet'
  | 'kubectl'
  | 'kubeadm'
  | 'containerd'
  | 'containerd-shim-runc-v2'
  | 'ctr'
  | 'runc'
  | 'unzstd'
  | 'etcd'
  | 'etcdctl'
  | 'etcdutl'
  | 'kube-apiserver'
  | 'kube-controller-manager'
  | 'kube-scheduler'
  | 'kube-proxy'
  | 'coredns'
  | 'cni-bridge'
  | 'cni-host-local'
  | 'cni-loopback'
  | 'cni-portmap'
  | 'cni-bandwidth'
  | 'nvidia-ctk'
  | 'nvidia-cdi-hook'
  | 'helm'
  | 'node-exporter';

export type ImageName =
  | 'pause'
  | 'etcd'
  | 'kube-apiserver'
  | 'kube-controller-manager'
  | 'kube-scheduler'
  | 'kube-proxy'
  | 'coredns'
  | 'probe'
  | 'nvidia-device-plugin'
  | 'busybox'
  | 'local-path-provisioner'
  | 'metrics-server'
  | 'metallb-controller'
  | 'metallb-speaker'
  | 'traefik'
  | 'prometheus'
  | 'prometheus-operator'
  | 'prometheus-config-reloader'
  | 'alertmanager'
  | 'kube-state-metrics';

/** Bytes that lie in a bundle on this machine, perhaps packed. */
export interface StoredFile {
  readonly name: string;
  /** Hex digest and size in bytes of the unpacked content: what must lie on the host. */
  readonly sha256: string;
  readonly size: number;
  /** Where the bytes lie on this machine. */
  readonly file: string;
  /** Bytes of `file`. */
  readonly packedSize: number;
  readonly packing: 'none' | 'gzip' | 'zstd';
}

/** A program that hosts download themselves from where it is published. */
export interface PublishedFile {
  readonly name: string;
  /** Hex: of the program, where that is what is published; for a member of an archive, of the archive's digest and its path. */
  readonly sha256: string;
  readonly download: Download;
}

export interface Download {
  /** An https address. */
  readonly url: string;
  /** Hex digest of what lies there, and what says so. */
  readonly sha256: string;
  readonly saidBy: string;
  /** The program's path in it, where it is a `.tar.gz`. */
  readonly member?: string;
  readonly way: Way;
}

/** How a host reaches what it downloads. */
export interface Way {
  readonly proxy?: { readonly url: string; readonly exclude: readonly string[] };
  /** PEM certificates that it trusts besides its own. */
  readonly ca?: string;
}

/** An image that hosts pull themselves from where it is published, and have under kbs's name. */
export interface PublishedImage {
  /** Where it is pulled from, by its digest: `registry.k8s.io/kube-proxy@sha256:…`. */
  readonly pull: string;
  readonly arch: Arch;
  readonly way: Way;
  readonly images: readonly [ImageDigest];
}

/** An OCI image layout in a tar, and the images that it brings. */
export interface ImageArchive {
  readonly archive: StoredFile;
  readonly images: readonly ImageDigest[];
}

export interface ImageDigest {
  readonly reference: string;
  /** `sha256:…` of the manifest. */
  readonly digest: string;
}

/**
 * The reference that a pod names an image by, `kbs.local/etcd:3.7.3`, on every architecture. An archive may bring several
 * images.
 */
export const referenceOf = (artifacts: Artifacts, name: ImageName): string => {
  const [arch = 'amd64'] = artifacts.architectures;
  const image = artifacts
    .of(arch)
    .image(name)
    .images.find(({ reference }) => reference.startsWith(`${imagePrefix}${name}:`));
  if (!image) throw new Error(`the archive of ${name} holds no image of that name`);
  return image.reference;
};

/** What every image of kbs's own is named under: no registry answers to it. */
export const imagePrefix = 'kbs.local/';
