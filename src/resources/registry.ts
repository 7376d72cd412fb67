import { binary } from './binary.js';
import { directory } from './directory.js';
import { file } from './file.js';
import { hostsEntry } from './hosts-entry.js';
import { image } from './image.js';
import { kernelModule } from './kernel-module.js';
import { nftTable } from './nft-table.js';
import { object } from './object.js';
import { osPackage } from './package.js';
import { release } from './release.js';
import type { Kind, Resource } from './resource.js';
import { route } from './route.js';
import { swap } from './swap.js';
import { sysctl } from './sysctl.js';
import { task } from './task.js';
import { unit } from './unit.js';
import { zone } from './zone.js';

/** The kind that knows about a resource. A member of `Resource` without an entry below does not compile. */
export const kindOf = (resource: Resource): Kind<Resource> => kinds[resource.kind];

/** The kind of this name, which may come from a record of another version of kbs. */
export const kindNamed = (name: string): Kind<Resource> | undefined =>
  Object.hasOwn(kinds, name) ? kinds[name as Resource['kind']] : undefined;

/** A resource's kind and id, which name it uniquely on a host. */
export const nameOf = (resource: Resource): string => `${resource.kind} ${kindOf(resource).id(resource)}`;

/** The names of all that a resource owns: its own, and those that a resource of another kind may own instead, such as a path. */
export const ownedBy = (resource: Resource): readonly string[] => [
  nameOf(resource),
  ...(kindOf(resource).owns?.(resource) ?? []),
];

const kinds: { readonly [K in Resource['kind']]: Kind<Extract<Resource, { readonly kind: K }>> } = {
  binary,
  directory,
  file,
  'hosts-entry': hostsEntry,
  image,
  'kernel-module': kernelModule,
  'nft-table': nftTable,
  object,
  package: osPackage,
  release,
  route,
  swap,
  sysctl,
  task,
  unit,
  zone,
};
