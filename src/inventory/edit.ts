import writeFileAtomic from 'write-file-atomic';
import { Failure } from '../failure.js';
import { entryAt, withEntry, withoutEntry } from './edit-yaml.js';

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

/** Removes a host with its lines. The rest of the text does not change. */
export const removeHost = (text: string, name: string): string => withoutEntry(text, ['hosts', name]);

/** Sets the pod CIDR of a host. */
export const pinPodCidr = (text: string, host: string, cidr: string): string =>
  withEntry(text, ['hosts', host, 'podCIDR'], cidr);

/** Sets the pod prefix of a segment. */
export const pinSegment = (text: string, segment: string, prefix: string): string =>
  withEntry(text, ['network', 'segments', segment, 'pods'], prefix);

/** Replaces the file atomically: a reader sees the old text or the new one. */
export const saveInventory = (file: string, text: string): Promise<void> => writeFileAtomic(file, text);
