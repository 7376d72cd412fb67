import { contains } from './addresses.js';
import { runsPods } from './host-pods.js';
import type { Path } from './inventory-error.js';
import type { InventoryText } from './schema/schema.js';
import { defaults } from './schema/schema.js';

/**
 * What of an inventory could be read: any part may be missing, and each part that is there is right by itself.
 * A field that was written but could not be read is there as undefined.
 */
export type PartialInventory = Partly<InventoryText>;
export type PartialHost = Partly<InventoryText['hosts'][string]>;
export type PartialSegment = Partly<InventoryText['network']['segments'][string]>;

type Partly<T> = T extends object ? { readonly [K in keyof T]?: Partly<T[K]> | undefined } : T;

export const hostsOf = (draft: PartialInventory): readonly (readonly [name: string, host: PartialHost])[] =>
  entries(draft.hosts);

export const segmentsOf = (draft: PartialInventory): readonly (readonly [name: string, segment: PartialSegment])[] =>
  entries(draft.network?.segments);

/** The entries that could be read, by their own keys. */
export const entries = <T>(
  record: Readonly<Record<string, T | undefined>> | undefined,
): readonly (readonly [string, T])[] =>
  Object.entries(record ?? {}).flatMap(([key, value]) => (value === undefined ? [] : [[key, value] as const]));

/** The items that could be read. */
export const items = <T>(list: { readonly [index: number]: T | undefined } | undefined): readonly T[] =>
  Object.values(list ?? {}).filter((item): item is T => item !== undefined);

/** Whether every part below these names was readable; a check that says "none" or "too few" needs that. */
export const complete = <T>(
  record: Readonly<Record<string, T | undefined>> | undefined,
  ...fields: readonly (keyof T)[]
): boolean =>
  record !== undefined &&
  Object.values(record).every(
    (value) => value !== undefined && value !== null && fields.every((field) => value[field] !== undefined),
  );

/** Whether every item of a list was readable. */
export const allRead = (list: { readonly [index: number]: unknown } | undefined): boolean =>
  list !== undefined && Object.values(list).every((item) => item !== undefined);

/** Whether the roles of all hosts were readable: a check that says that no host has one needs that. */
export const rolesRead = (draft: PartialInventory): boolean =>
  complete(draft.hosts, 'roles') && hostsOf(draft).every(([, host]) => allRead(host.roles));

/** The value of a network, its default where the inventory says nothing; undefined where it says something unreadable. */
export const networkOr = (draft: PartialInventory, field: 'pods' | 'services'): string | undefined =>
  draft.network !== undefined && field in draft.network ? draft.network[field] : defaults[field];

export const segmentHolding = (
  draft: PartialInventory,
  address: string,
): readonly [name: string, segment: PartialSegment] | undefined =>
  segmentsOf(draft).find(([, { cidr }]) => cidr !== undefined && contains(cidr, address));

export const hasRole = (host: PartialHost, ...roles: readonly string[]): boolean =>
  items(host.roles).some((role) => roles.includes(role));

/**
 * Whether a kubelet runs on a host; undefined where the roles, or the style of the control plane that decides it, could
 * not be read.
 */
export const isNode = (host: PartialHost, { kubernetes }: PartialInventory): boolean | undefined => {
  const roles = items(host.roles);
  const style = kubernetes !== undefined && 'controlPlane' in kubernetes ? kubernetes.controlPlane : 'static-pods';
  if (style === undefined && roles.includes('control-plane') && !roles.includes('worker')) return undefined;
  const node = runsPods(roles, style ?? 'static-pods');
  return node || (allRead(host.roles) && roles.length > 0) ? node : undefined;
};

/** The draft that is left of a document when everything that the paths name is taken out. */
export const without = (document: unknown, paths: readonly Path[]): PartialInventory => {
  const draft: unknown = structuredClone(document);
  for (const path of paths) blank(draft, path);
  // The schema vouches for everything that none of its issues names; what they name is undefined now.
  return (typeof draft === 'object' && draft !== null ? draft : {}) as PartialInventory;
};

const blank = (node: unknown, [step, ...rest]: Path): void => {
  if (step === undefined || typeof node !== 'object' || node === null || !Object.hasOwn(node, step)) return;
  // An own property of an object or an array, by its own key.
  const parent = node as Record<string | number, unknown>;
  if (rest.length === 0) parent[step] = undefined;
  else blank(parent[step], rest);
};
