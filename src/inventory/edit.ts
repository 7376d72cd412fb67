import writeFileAtomic from 'write-file-atomic';
import { Failure } from '../failure.js';
import { entryAt, withEntry, withoutEntry } from './edit-yaml.js';

/** A host to be put into an inventory. */
export interface NewHost {
  readonly name: string;
  readonly address: string;
  readonly roles: readonly string[];
  /** Who logs in there, where that differs from everybody else. */
  readonly user?: string;
}

/** Adds a host after the last one, in the style of that one. Everything else stays as it is, to the last space. */
export const addHost = (text: string, { name, address, roles, user }: NewHost): string => {
  if (entryAt(text, ['hosts', name]) !== undefined) {
    throw new Failure('usage', `the inventory has a host ${name} already`, {
      next: `join it as it is: kbs join ${name}`,
    });
  }
  const everybody = entryAt(text, ['ssh', 'user']) ?? 'root';
  const ssh = user === undefined || user === everybody ? {} : { ssh: { user } };
  return withEntry(text, ['hosts', name], { address, roles, ...ssh });
};

/** Takes a host out, with what is said on its own lines. Everything else stays as it is, to the last space. */
export const removeHost = (text: string, name: string): string => withoutEntry(text, ['hosts', name]);

/** Writes down which pod CIDR a host has. */
export const pinPodCidr = (text: string, host: string, cidr: string): string =>
  withEntry(text, ['hosts', host, 'podCIDR'], cidr);

/** Writes down which part of the pod network a segment has. */
export const pinSegment = (text: string, segment: string, prefix: string): string =>
  withEntry(text, ['network', 'segments', segment, 'pods'], prefix);

/** Replaces the file at once: a reader sees the old text or the new one. */
export const saveInventory = (file: string, text: string): Promise<void> => writeFileAtomic(file, text);
