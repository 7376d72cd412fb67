import type { Path } from '../inventory-error.js';

/** The tools whose files kbs imports. */
export const tools = ['kubespray', 'k0sctl', 'rke'] as const;
export type Tool = (typeof tools)[number];

/** The names of the tools in sentences. */
export const toolNames: Readonly<Record<Tool, string>> = { kubespray: 'kubespray', k0sctl: 'k0sctl', rke: 'RKE' };

/** What a file of another tool says of a cluster, in the words of the inventory. Values are as written there. */
export interface ToolCluster {
  readonly tool: Tool;
  readonly name: string;
  /** Without a leading `v` and without the tool's own suffix. */
  readonly version?: string;
  readonly proxy?: string;
  readonly pods?: string;
  readonly services?: string;
  /** Present where the cluster has both families; what the tool leaves out is missing. */
  readonly ipv6?: ToolIpv6;
  readonly domain?: string;
  /** Flags without the dashes before them. */
  readonly flags?: Readonly<Partial<Record<FlaggedSection, Readonly<Record<string, unknown>>>>>;
  readonly featureGates?: Readonly<Record<string, boolean>>;
  /** Fields of the KubeletConfiguration. */
  readonly kubelet?: Readonly<Record<string, unknown>>;
  readonly endpoint?: ToolEndpoint;
  readonly upstreams?: readonly string[];
  readonly pullProxy?: { readonly url: string; readonly exclude?: readonly string[] };
  readonly registries?: Readonly<Record<string, { readonly mirrors: readonly string[] }>>;
  readonly hosts: readonly ToolHost[];
  readonly remarks: readonly Remark[];
}

export interface ToolIpv6 {
  readonly pods?: string;
  readonly services?: string;
  /** The prefix length of a node's part. */
  readonly nodePrefix?: number;
}

/** Where the inventory has flags of a component. */
export type FlaggedSection = 'apiServer' | 'controllerManager' | 'scheduler' | 'etcd';

export interface ToolEndpoint {
  readonly name?: string;
  readonly vip?: string;
  readonly port?: number;
  /** A load balancer outside the cluster serves it; else the control planes hold the virtual address themselves. */
  readonly external?: boolean;
  readonly extraNames?: readonly string[];
}

export interface ToolHost {
  /** As written, or the name of the machine that its address has; undefined where there is neither. */
  readonly name?: string;
  /** Where the other hosts reach it: an IPv4 address, or what the tool has in place of one. */
  readonly address?: string;
  readonly ipv6?: string;
  /** Where the tool logs in. */
  readonly login?: string;
  readonly roles: readonly ('control-plane' | 'worker')[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly taints?: readonly string[];
  readonly ssh: ToolSsh;
  /** Their paths begin at the host. */
  readonly remarks: readonly Remark[];
}

/** A host with its name in the inventory. */
export interface NamedHost extends ToolHost {
  readonly as: string;
}

export interface ToolSsh {
  readonly user?: string;
  readonly become?: string;
  readonly port?: number;
  readonly key?: string;
  readonly password?: 'ask';
  readonly transport?: 'local' | 'openssh';
  readonly jump?: string | ToolJump;
}

export interface ToolJump {
  readonly host: string;
  readonly user?: string;
  readonly port?: number;
  readonly key?: string;
}

/** A sentence about something that the inventory does not hold as the tool's file had it. */
export interface Remark {
  /** Where the comment stands; the entry need not be there. */
  readonly path: Path;
  /** `left`: something is left out. `note`: only the comment. `decide`: the operator must decide. */
  readonly kind: 'left' | 'note' | 'decide';
  readonly text: string;
  /** What to write, as a line of YAML that the operator completes. */
  readonly placeholder?: string;
}

export const leftOut = (path: Path, text: string): Remark => ({ path, kind: 'left', text });
export const note = (path: Path, text: string): Remark => ({ path, kind: 'note', text });
export const decide = (path: Path, text: string, placeholder?: string): Remark => ({
  path,
  kind: 'decide',
  text,
  ...(placeholder === undefined ? {} : { placeholder }),
});

/** The remark where the condition holds. */
export const when = (holds: boolean, remark: Remark): readonly Remark[] => (holds ? [remark] : []);
