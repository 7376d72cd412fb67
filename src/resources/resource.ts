import type { Chart, ImageArchive, PublishedFile, PublishedImage, StoredFile } from '../artifacts/artifacts.js';
import type { Payload } from '../hosts/host.js';
import type { Script } from '../hosts/shell.js';
import type { Secret } from '../secret.js';

/** One thing that must be true of one host, as plain data. Each member of this union has a kind in its own file. */
export type Resource =
  | FileResource
  | DirectoryResource
  | BinaryResource
  | UnitResource
  | SysctlResource
  | KernelModuleResource
  | SwapResource
  | RouteResource
  | NftTableResource
  | HostsEntryResource
  | ImageResource
  | ObjectResource
  | ReleaseResource
  | PackageResource
  | ZoneResource
  | TaskResource;

/** A text file. A secret content shows as a fingerprint everywhere but on the host. */
export interface FileResource {
  readonly kind: 'file';
  readonly path: string;
  readonly content: string | Secret;
  /** Four octal digits, `0644`. */
  readonly mode: string;
  /** `user:group`; root:root when absent. */
  readonly owner?: string;
  /**
   * Shell that asks the program itself whether it would take this file, whose new text lies at `$1`; it fails with the
   * reason. What lay there before stays where it fails.
   */
  readonly check?: Script;
}

export interface DirectoryResource {
  readonly kind: 'directory';
  readonly path: string;
  readonly mode: string;
  readonly owner?: string;
  /** Others keep things there too, so what is in it is never removed with it. */
  readonly shared?: true;
}

/** An executable from an artifact. */
export interface BinaryResource {
  readonly kind: 'binary';
  readonly path: string;
  readonly content: StoredFile | PublishedFile;
  /** Paths of symbolic links to it: other names under which the program is found, and acts. */
  readonly links?: readonly string[];
}

/**
 * A systemd unit of kbs's own under /etc/systemd/system, running with exactly this text and these inputs.
 * The digest of both is put into the unit's environment, so the running process testifies what it was started with.
 */
export interface UnitResource {
  readonly kind: 'unit';
  /** With its suffix, `kubelet.service`. */
  readonly name: string;
  readonly text: string;
  /** Fingerprints of the files that the process reads when it starts; a change restarts it. */
  readonly inputs: readonly string[];
  /** `service`: a process that stays. `oneshot`: runs at boot and when it changes. */
  readonly runs: 'service' | 'oneshot';
  /** Shell that must succeed before a changed text goes live, such as the program's own check of its flags. */
  readonly check?: Script;
  readonly keep?: Keep;
}

export interface SysctlResource {
  readonly kind: 'sysctl';
  readonly name: string;
  readonly value: string;
}

export interface KernelModuleResource {
  readonly kind: 'kernel-module';
  readonly name: string;
  /** A shell test that succeeds where the feature is there, loaded or built in. */
  readonly check: Script;
}

/** `off`: no swap, now and after a reboot. `as-found`: what kbs has switched off is on again; other swap stays as it is. */
export interface SwapResource {
  readonly kind: 'swap';
  readonly state: 'off' | 'as-found';
}

/** A live kernel route. Its persistence is a file and a unit of the same phase. */
export interface RouteResource {
  readonly kind: 'route';
  /** CIDR. */
  readonly to: string;
  readonly via: string;
}

/** A whole nftables table, replaced atomically. `text` is the body in the form in which `nft list table` prints it. */
export interface NftTableResource {
  readonly kind: 'nft-table';
  readonly family: 'ip' | 'ip6' | 'inet';
  readonly name: string;
  readonly text: string;
}

export interface HostsEntryResource {
  readonly kind: 'hosts-entry';
  readonly address: string;
  readonly names: readonly string[];
}

/**
 * Images in containerd's `k8s.io` namespace. Archives are imported while the next one is still arriving; images that the
 * host pulls itself arrive meanwhile.
 */
export interface ImageResource {
  readonly kind: 'image';
  readonly name: string;
  readonly archives: readonly (ImageArchive | PublishedImage)[];
}

/** Kubernetes objects, by server-side apply through the host's own kubectl. */
export interface ObjectResource {
  readonly kind: 'object';
  readonly name: string;
  readonly objects: readonly KubeObject[];
  /** Path on the host. */
  readonly kubeconfig: string;
  readonly keep?: Keep;
  /** The field manager of server-side apply; `kbs` when absent. Another one owns fields of objects that kbs applies too. */
  readonly manager?: string;
}

/** A release of a Helm chart, by the host's own helm. */
export interface ReleaseResource {
  readonly kind: 'release';
  readonly name: string;
  /** Made where it is missing, and removed with the release where nothing else is in it. */
  readonly namespace: string;
  /** The name that the inventory has for it. */
  readonly addon: string;
  /** Its place in the order of installation; removed in the reverse. */
  readonly order: number;
  /** Path on the host. */
  readonly kubeconfig: string;
  readonly chart: Chart;
  /** JSON, in which a text may be a Secret. */
  readonly values: Readonly<Record<string, unknown>>;
  /** Whether a release of this name that was made without kbs is taken over. */
  readonly adopt: boolean;
  /** How long helm waits for its pods. */
  readonly timeoutSeconds: number;
  /** What its pods run; absent where kbs cannot tell. */
  readonly images?: ReleaseImages;
  /** What goes with it when it is removed, besides what helm removes; of a release that is removed only. */
  readonly purge?: Purge;
}

/** References of images. */
export interface ReleaseImages {
  /** Of the bundle: kbs brings them to the hosts. */
  readonly bundled: readonly string[];
  /** The hosts' containerd fetches them from their registries. */
  readonly fetched: readonly string[];
}

/** What would stay of an add-on otherwise. */
export interface Purge {
  /** Names of CustomResourceDefinitions: all objects of these kinds go too. */
  readonly kinds: readonly string[];
  /** Names of PersistentVolumeClaims in the release's namespace. */
  readonly claims: readonly string[];
}

export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly [key: string]: unknown };
  readonly [key: string]: unknown;
}

/**
 * OS packages, at whatever version, by the host's own package manager. They come from the host's package sources where
 * those answer, else from `repository`, where there is one; the sources stay as they are, and nothing that they bring is
 * started.
 */
export interface PackageResource {
  readonly kind: 'package';
  /** As Debian and Fedora name them. Each is also the name of the program that it brings; `nftables` brings `nft`. */
  readonly names: readonly string[];
  readonly repository?: PackageRepository;
  /** The host's package sources are not asked. */
  readonly bundleOnly?: true;
}

/** A tar, not packed, of an apt repository that holds packages with all they depend on. */
export interface PackageRepository extends StoredFile {
  /** What it is for, by ID and VERSION_ID of os-release(5): `ubuntu-24.04`. */
  readonly distribution: string;
}

/** A DNS zone file (RFC 1035). Its serial is no difference, and grows whenever the rest changes. */
export interface ZoneResource {
  readonly kind: 'zone';
  readonly path: string;
  /** The text, with `@SERIAL@` where the serial goes. */
  readonly content: string;
  /** The serial that it gets when it changes, unless the one that is there is as large. */
  readonly serial: number;
  readonly mode: string;
  readonly owner?: string;
}

/** The rare verb: something done once, guarded by a question that says whether it is done already. */
export interface TaskResource {
  readonly kind: 'task';
  readonly name: string;
  /** A shell test that changes nothing and succeeds once the task is done. */
  readonly check: Script;
  readonly run: Script;
  /** Bytes that `run` reads from stdin, all of them; so a secret never lies in a script or in argv. */
  readonly input?: Secret;
  /** Undoes it; absent where there is nothing to undo. */
  readonly undo?: Script;
  readonly keep?: Keep;
}

/**
 * For what is never pruned because its loss would hurt, such as etcd's data or a node's kubelet: it is removed when its
 * host leaves the cluster, or by a phase that names its phase in `prunes`. A host that holds such a thing without need is
 * not pruned at all before it has left the cluster in good order. Objects with this word are never pruned.
 */
export type Keep = 'until-removed';

/**
 * The knowledge of one sort of resource, as pure functions over text.
 *
 * `query` is a script that prints what is there; `parse` reads that output; `desired` says what should be there in the
 * same terms. Where the two differ in any key that is wanted, `apply` gives the steps that close the difference.
 */
export interface Kind<R extends { readonly kind: string }> {
  readonly kind: R['kind'];
  /** Its queries call the API server. */
  readonly callsApi?: true;
  /** The resource's name, unique among those of its kind on one host. */
  id(resource: R): string;
  /** Shell that runs once before the queries of this kind: functions, or a snapshot that many queries share. */
  readonly prelude?: Script;
  query(resource: R): Script;
  /**
   * `undefined` where the resource is absent and nothing is left to remove; `Unknown` where the program that was queried is
   * installed and did not answer: then kbs must not conclude that the resource is absent.
   */
  parse(output: string, resource: R): State | Unknown | undefined;
  desired(resource: R): State;
  /** For a kind whose desired state does not say what `apply` would change: where it is there and differs, a second query. */
  readonly preview?: {
    /** `undefined` where there is nothing to ask. */
    query(resource: R, seen: State): Script | undefined;
    parse(output: string, resource: R): Preview;
  };
  /** Must be idempotent for a kind that has `Unknown`: of what is unknown all is applied, as if it were absent. */
  apply(resource: R, seen: State | undefined): readonly Step[];
  /**
   * Shell that runs once after `apply` of all resources of this kind that a phase changes on a host, where there is
   * something to clear away; where one of them fails it does not run.
   */
  conclude?(changed: readonly R[]): Script | undefined;
  /** What the host itself would download of a resource that is not as desired: addresses, or images by their digests. */
  downloads?(resource: R, seen: State | undefined): readonly string[];
  remove(resource: R, seen: State): readonly Step[];
  /** How a resource is recorded on its host; absent where a host keeps nothing of it. */
  readonly record?: RecordFormat<R>;
  /** Names of what the resource owns besides itself, which a resource of another id or kind may own instead: its paths. */
  owns?(resource: R): readonly string[];
  /** The resource without the parts that others own; absent where a resource has no parts. */
  without?(resource: R, isOwned: (name: string) => boolean): R | undefined;
}

/** How a resource is recorded on its host, so that it can still be removed when no phase wants it any more. */
export interface RecordFormat<R> {
  /** What `read` needs besides the id: no content, no secret. `undefined` where there is nothing to remove. */
  write(resource: R): RecordDetails | undefined;
  /** As much of the resource as `query`, `parse` and `remove` need; `undefined` where the record makes no sense. */
  read(id: string, details: RecordDetails): R | undefined;
}

/** Plain JSON. */
export type RecordDetails = Readonly<Record<string, unknown>>;

/** What is there, as flat readable facts. `content` holds text that a person may want to see as a diff. */
export type State = Readonly<Record<string, string>>;

/** That a query cannot tell what is there, and why. A class, so that it is never mistaken for a state. */
export class Unknown {
  readonly reason: string;

  constructor(reason: string) {
    this.reason = reason;
  }
}

/** What is inside of a resource, and what will be; aspects that are in one of the two alone come or go. */
export interface Preview {
  readonly is: State;
  readonly wanted: State;
}

/** The exit status of a step that has waited in vain, as timeout(1) has it. */
export const timedOutCode = 124;

/** One piece of a mutation: a script, and the bytes it reads from stdin with `head -c`, all of them, in order. */
export interface Step {
  readonly script: Script;
  readonly payloads: readonly Payload[];
}

export const step = (script: Script, payloads: readonly Payload[] = []): Step => ({ script, payloads });
