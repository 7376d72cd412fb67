import type { ImageName } from '../artifacts/artifacts.js';
import type { Addon, Cluster, PublishedChart, Values } from '../inventory/cluster.js';
import type { IngressCredentials, MetricsCredentials } from '../pki/credentials.js';

/** What kbs knows of an add-on, for people and for planning. */
export interface AddonDescription {
  readonly name: string;
  /** What it brings, as one line for people. */
  readonly what: string;
  /** The name of the release, as `helm list` shows it. */
  readonly release: string;
  readonly namespace: string;
  /** Images of the bundle that its pods run, by what the values call them. */
  readonly images: readonly ImageName[];
  /** References of images that are in no bundle: the hosts' containerd fetches them from their registries. */
  readonly pulls?: readonly string[];
  /** Its chart, where the bundle has none: the operator's machine downloads it. */
  readonly published?: PublishedChart;
  /** The oldest minor version that it is for: `1.31`. */
  readonly kubernetes: string;
  /** The minor version from which on it is not for any more, where its chart refuses one: `1.37`. */
  readonly kubernetesBelow?: string;
  /** Names of add-ons that must be there before. */
  readonly needs: readonly string[];
  /** What people open in a browser; absent where there is nothing. */
  readonly web?: WebInterface;
  /** What of its objects and data stays when it is removed, as one line for people; absent where nothing does. */
  readonly leaves?: string;
}

/** The Service of an add-on's web interface, in its namespace. */
export interface WebInterface {
  readonly service: string;
  readonly port: number;
  /** The path that answers with 200 without a log-in; `/` where absent. */
  readonly answersAt?: string;
  /** The ServiceAccount that may `view`, where the interface asks for a token of the cluster. */
  readonly viewer?: string;
}

/** With the values that are good for a cluster, under what the owner has chosen. */
export interface AddonRecipe<A extends Addon> extends AddonDescription {
  values(
    addon: A,
    cluster: AddonCluster,
    image: (name: ImageName) => ImageReference,
    ingress: IngressCredentials | undefined,
  ): Values;
  /**
   * What the chart has no values for: objects of kinds that come with it, each a plain Kubernetes object. They are a
   * release of their own, which is installed once the chart's pods are ready.
   */
  objects?(
    addon: A,
    ingress: IngressCredentials | undefined,
    cluster: AddonCluster,
    metrics: MetricsCredentials | undefined,
  ): readonly Values[];
  /** In place of `images` and `pulls`, where a setting has its pods run images of the bundle alone. */
  imagesOf?(addon: A): readonly ImageName[] | undefined;
}

/** What of a cluster the values of add-ons follow from. */
export type AddonCluster = Pick<Cluster, 'kubernetes' | 'domain' | 'endpoint' | 'hosts' | 'addons' | 'zone'>;

/** `kbs.local/busybox:1.0` in the two parts in which charts take it. */
export interface ImageReference {
  readonly repository: string;
  readonly tag: string;
}
