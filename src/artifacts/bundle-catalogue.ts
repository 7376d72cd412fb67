import { z } from 'zod';
import { defined } from '../defined.js';
import { Failure } from '../failure.js';
import { sha256 } from '../secret.js';
import { type Arch, architectures } from './arch.js';
import type { BinaryName, ImageName } from './artifacts.js';

/** `catalogue.json` of a bundle: everything it holds, by name, version, size and sha256. */
export interface BundleCatalogue {
  readonly format: 2;
  readonly kubernetes: string;
  /** At least one. */
  readonly architectures: { readonly [arch in Arch]?: ArchCatalogue | undefined };
  /** Helm charts of add-ons, for every architecture; absent in a bundle that was made without what add-ons need. */
  readonly charts?: readonly PackedChart[] | undefined;
  /** Every file of the bundle but this one. */
  readonly members: readonly Member[];
}

/** What a bundle holds for hosts of one architecture. */
export interface ArchCatalogue {
  /** What was built, from where; the Debian packages in images and in the apt repository among them. */
  readonly components: readonly Component[];
  readonly binaries: readonly PackedBinary[];
  readonly archives: readonly PackedArchive[];
  /** What hosts download themselves; absent where the bundle has all. */
  readonly published?: Published | undefined;
  /** Tars of apt repositories, by the name of their distribution. A bundle that was built has that of Debian 12. */
  readonly repositories?: Readonly<Record<string, string>> | undefined;
}

export interface Component {
  readonly name: string;
  readonly version: string;
  readonly from: string;
  /** Of the `.deb` that a Debian package came as. */
  readonly sha256?: string | undefined;
}

/** A file of the bundle as it lies there. Paths are relative to the bundle, with slashes. */
export interface Member {
  readonly file: string;
  readonly size: number;
  readonly sha256: string;
}

export interface PackedBinary {
  readonly name: PackedName;
  readonly file: string;
  /** Of the unpacked program. */
  readonly size: number;
  readonly sha256: string;
}

/** One program may be packed for several that hosts ask for: `builtFor`. */
export type PackedName = BuiltName | BinaryName;

/** What a bundle that was built from modules holds. */
export type BuiltName = Exclude<BinaryName, ControlPlaneName> | 'control-plane';

type ControlPlaneName = 'kube-apiserver' | 'kube-controller-manager' | 'kube-scheduler';

/** The program that is built for what a host asks for: the three of the control plane are one. */
export const builtFor = (name: BinaryName): BuiltName => (isOfControlPlane(name) ? 'control-plane' : name);

const isOfControlPlane = (name: BinaryName): name is ControlPlaneName =>
  name === 'kube-apiserver' || name === 'kube-controller-manager' || name === 'kube-scheduler';

export interface PackedArchive {
  readonly name: string;
  readonly file: string;
  readonly images: readonly { readonly name: ImageName; readonly reference: string; readonly digest: string }[];
}

/** What hosts download themselves: where each thing is published, and the digest that the operator's kbs found it to have. */
export interface Published {
  readonly binaries: readonly {
    readonly name: BinaryName;
    readonly url: string;
    /** Of what lies there, and what says so. */
    readonly sha256: string;
    readonly saidBy: string;
    /** The program's path in it, where it is a `.tar.gz`. */
    readonly member?: string | undefined;
  }[];
  readonly images: readonly {
    readonly name: ImageName;
    /** As the project's users pull it. */
    readonly published: string;
    readonly reference: string;
    /** `sha256:…` of the manifest for the architecture. */
    readonly digest: string;
  }[];
}

export interface PackedChart {
  readonly addon: string;
  /** As its Chart.yaml says. */
  readonly name: string;
  readonly version: string;
  readonly file: string;
  /** Of the Go module that it lies in. */
  readonly from: string;
}

/** The architectures of a bundle, in the order of `architectures`. */
export const archesIn = ({ architectures: held }: BundleCatalogue): readonly Arch[] =>
  architectures.filter((arch) => held[arch] !== undefined);

/** The catalogue as text, closed by the sha256 of itself so that a damaged catalogue is noticed. */
export const printCatalogue = (catalogue: BundleCatalogue): string =>
  `${JSON.stringify({ ...catalogue, sha256: sha256(JSON.stringify(catalogue)) }, undefined, 2)}\n`;

/**
 * Reads it back; a Failure names what is wrong with it. `where` is the file's path, for the message. Format 1, of bundles
 * for one architecture, is read too, and a format 2 in which the repository of Debian 12 stood by itself.
 */
export const parseCatalogue = (text: string, where: string): BundleCatalogue => {
  const { sha256: stated, ...catalogue } = check(text, where);
  if (stated !== sha256(JSON.stringify(catalogue))) throw refuse(where, 'its own sha256 does not match');
  if (catalogue.format === 2) {
    const { amd64, arm64 } = catalogue.architectures;
    return { ...catalogue, architectures: { ...defined({ amd64: today(amd64), arm64: today(arm64) }) } };
  }
  const { kubernetes, members, arch, ...held } = catalogue;
  const { components: made, binaries: programs, archives: images } = held;
  const repositories = { 'debian-12': 'packages/debian-12.tar' };
  return {
    format: 2,
    kubernetes,
    architectures: { [arch]: { components: made, binaries: programs, archives: images, repositories } },
    members,
  };
};

const today = (part: z.infer<typeof ofOneArch>): ArchCatalogue | undefined => {
  if (part?.repository === undefined) return part;
  const { repository, repositories, ...rest } = part;
  return { ...rest, repositories: { 'debian-12': repository, ...repositories } };
};

const check = (text: string, where: string) => {
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    const why = error instanceof z.ZodError ? error.issues.map(say) : [String(error)];
    throw refuse(where, ...why);
  }
};

const say = (issue: { readonly path: readonly PropertyKey[]; readonly message: string }): string =>
  `${issue.path.map(String).join('.')}: ${issue.message}`;

const refuse = (where: string, ...why: readonly string[]): Failure =>
  new Failure('preflight', `${where} is no catalogue that this kbs can read`, {
    where: { resource: where },
    why: why.slice(0, 5),
    next: 'copy the bundle again, or make it with `kbs bundle create` or `kbs bundle build`.',
  });

/** Every executable of a bundle that is built, in the order in which it is packed. */
export const builtNames = [
  'kubelet',
  'kubectl',
  'kubeadm',
  'containerd',
  'containerd-shim-runc-v2',
  'ctr',
  'runc',
  'unzstd',
  'etcd',
  'etcdctl',
  'etcdutl',
  'control-plane',
  'kube-proxy',
  'coredns',
  'cni-bridge',
  'cni-host-local',
  'cni-loopback',
  'cni-portmap',
  'cni-bandwidth',
  'nvidia-ctk',
  'nvidia-cdi-hook',
  'helm',
  'node-exporter',
] as const satisfies readonly BuiltName[];

const packedNames = [
  ...builtNames,
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
] as const satisfies readonly PackedName[];

const imageNames = [
  'pause',
  'etcd',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kube-proxy',
  'coredns',
  'probe',
  'nvidia-device-plugin',
  'busybox',
  'local-path-provisioner',
  'metrics-server',
  'metallb-controller',
  'metallb-speaker',
  'traefik',
  'prometheus',
  'prometheus-operator',
  'prometheus-config-reloader',
  'alertmanager',
  'kube-state-metrics',
] as const satisfies readonly ImageName[];

/** Whether only add-ons need it: a bundle is made with or without. */
export const isForAddons = (name: PackedName | ImageName): boolean => forAddons.has(name);

const forAddons = new Set<PackedName | ImageName>([
  'helm',
  'busybox',
  'local-path-provisioner',
  'metrics-server',
  'metallb-controller',
  'metallb-speaker',
  'traefik',
  'prometheus',
  'prometheus-operator',
  'prometheus-config-reloader',
  'alertmanager',
  'kube-state-metrics',
  'node-exporter',
]);

const hex = z.string().regex(/^[0-9a-f]{64}$/);
/** Inside the bundle: no absolute path and no step up. */
const path = z.string().regex(/^(?!\/)(?!.*(^|\/)\.\.?(\/|$))[A-Za-z0-9._/-]+$/);
const size = z.int().nonnegative();

const components = z.array(
  z.strictObject({ name: z.string(), version: z.string(), from: z.string(), sha256: hex.optional() }),
);
const members = z.array(z.strictObject({ file: path, size, sha256: hex }));
const binaries = z.array(z.strictObject({ name: z.enum(packedNames), file: path, size, sha256: hex }));
const archives = z.array(
  z.strictObject({
    name: z.string(),
    file: path,
    images: z.array(
      z.strictObject({
        name: z.enum(imageNames),
        reference: z.string(),
        digest: z.string().regex(/^sha256:[0-9a-f]{64}$/),
      }),
    ),
  }),
);
const charts = z
  .array(z.strictObject({ addon: z.string(), name: z.string(), version: z.string(), file: path, from: z.string() }))
  .optional();
const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/);
const published = z
  .strictObject({
    binaries: z.array(
      z.strictObject({
        name: z.enum(packedNames).exclude(['control-plane']),
        url: z.url({ protocol: /^https$/ }),
        sha256: hex,
        saidBy: z.string(),
        member: path.optional(),
      }),
    ),
    images: z.array(z.strictObject({ name: z.enum(imageNames), published: z.string(), reference: z.string(), digest })),
  })
  .optional();
const ofOneArch = z
  .strictObject({
    components,
    binaries,
    archives,
    published,
    repository: path.optional(),
    repositories: z.record(z.string(), path).optional(),
  })
  .optional();

// Keys are in the order in which they are written: the sha256 is of the text.
const schema = z.discriminatedUnion('format', [
  z.strictObject({
    format: z.literal(2),
    kubernetes: z.string(),
    architectures: z
      .strictObject({ amd64: ofOneArch, arm64: ofOneArch } satisfies Record<Arch, unknown>)
      .refine((held) => Object.keys(held).length > 0, 'none is listed'),
    charts,
    members,
    sha256: hex,
  }),
  z.strictObject({
    format: z.literal(1),
    kubernetes: z.string(),
    arch: z.enum(architectures),
    components,
    members,
    binaries,
    archives,
    sha256: hex,
  }),
]);
