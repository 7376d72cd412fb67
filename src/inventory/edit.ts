import writeFileAtomic from 'write-file-atomic';
import { Failure } from '../failure.js';
import { taintIdentity } from './checks/nodes.js';
import { entryAt, withEntry, withItem, withoutEntry } from './edit-yaml.js';

/** A host to add to an inventory. */
export interface NewHost {
  readonly name: string;
  readonly address: string;
  readonly roles: readonly string[];
  /** The SSH user, where it differs from `ssh.user` of the inventory. */
  readonly user?: string;
}

/** Adds a host after the last one, in the style of that one. The rest of the text does not change. */
export const addHost = (text: string, { name, address, roles, user }: NewHost): string => {
  if (entryAt(text, ['hosts', name]) !== undefined) {
    throw new Failure('usage', `the inventory has a host ${name} already`, {
      next: `join it as it is: kbs join ${name}`,
    });
  }
  const defaultUser = entryAt(text, ['ssh', 'user']) ?? 'root';
  const ssh = user === undefined || user === defaultUser ? {} : { ssh: { user } };
  return withEntry(text, ['hosts', name], { address, roles, ...ssh });
};

/** Labels by key and value, and taints as the inventory has them. */
export interface NodeLabelsAndTaints {
  readonly labels: readonly (readonly [key: string, value: string])[];
  readonly taints: readonly string[];
}

/** Gives a host these labels and taints, in place of those of the same key, or key and effect. The rest does not change. */
export const labelAndTaintHost = (text: string, host: string, { labels, taints }: NodeLabelsAndTaints): string => {
  const labelled = labels.reduce((edited, [key, value]) => {
    const path = ['hosts', host, 'labels'];
    if (entryAt(edited, path) === undefined) return withEntry(edited, path, { [key]: value });
    return entryAt(edited, [...path, key]) === value ? edited : withEntry(edited, [...path, key], value);
  }, text);
  return taints.reduce((edited, taint) => {
    const path = ['hosts', host, 'taints'];
    const there = entryAt(edited, path);
    if (there === undefined) return withEntry(edited, path, [taint]);
    const same = (other: unknown) => typeof other === 'string' && taintIdentity(other) === taintIdentity(taint);
    const index = Array.isArray(there) ? there.findIndex(same) : -1;
    return Array.isArray(there) && there[index] === taint ? edited : withItem(edited, path, index, taint);
  }, labelled);
};

/** Removes a host with its lines. The rest of the text does not change. */
export const removeHost = (text: string, name: string): string => withoutEntry(text, ['hosts', name]);

/** Adds an add-on as kbs has it, after the last one. The rest of the text does not change. */
export const addAddon = (text: string, name: string): string =>
  entryAt(text, ['addons']) === undefined
    ? withEntry(text, ['addons'], { [name]: {} })
    : withEntry(text, ['addons', name], {});

/** Removes an add-on with its lines, and `addons` with the last one. The rest of the text does not change. */
export const removeAddon = (text: string, name: string): string => {
  const addons = entryAt(text, ['addons']);
  const isLast = typeof addons === 'object' && addons !== null && Object.keys(addons).join() === name;
  return withoutEntry(text, isLast ? ['addons'] : ['addons', name]);
};

/** The version of a published chart, with where it is from. */
export interface ChartVersion {
  readonly repository: string;
  readonly name: string;
  readonly version: string;
}

/**
 * Sets the version of an add-on's chart, with the chart's name and repository where the text has none. A digest that was
 * pinned is of another version, and goes. The rest does not change.
 */
export const setChartVersion = (text: string, addon: string, { repository, name, version }: ChartVersion): string => {
  const path = ['addons', addon];
  if (entryAt(text, [...path, 'version']) === version) return text;
  const placed =
    entryAt(text, [...path, 'chart']) !== undefined
      ? text
      : Object.entries(
          repository.startsWith('oci://') ? { chart: `${repository}/${name}` } : { chart: name, repository },
        ).reduce((edited, [key, value]) => withEntry(edited, [...path, key], value), text);
  return withEntry(withoutEntry(placed, [...path, 'sha256']), [...path, 'version'], version);
};

/** Sets the pod CIDR of a host. */
export const pinPodCidr = (text: string, host: string, cidr: string): string =>
  withEntry(text, ['hosts', host, 'podCIDR'], cidr);

/** Sets the pod prefix of a segment. */
export const pinSegment = (text: string, segment: string, prefix: string): string =>
  withEntry(text, ['network', 'segments', segment, 'pods'], prefix);

/** Replaces the file atomically: a reader sees the old text or the new one. */
export const saveInventory = (file: string, text: string): Promise<void> => writeFileAtomic(file, text);
