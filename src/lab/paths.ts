import { createHash } from 'node:crypto';
import { homedir } from 'node:os';
import { join } from 'node:path';

/**
 * Where labs keep what is theirs on this machine. `home` holds the hosts' disks and must lie on a real file system;
 * `cache` holds root images, made once. Both may be moved: KBS_LAB_HOME, XDG_CACHE_HOME.
 */
export interface Places {
  readonly home: string;
  readonly cache: string;
}

export const placesOf = (env: NodeJS.ProcessEnv = process.env): Places => ({
  home: env.KBS_LAB_HOME || '/var/lib/kbs-lab',
  cache: join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'kbs', 'lab'),
});

/** Everything of one lab that outlives a boot: its record and its hosts' disks. */
export const labFolder = (places: Places, name: string): string => join(places.home, name);
export const hostFolder = (places: Places, lab: string, host: string): string =>
  join(labFolder(places, lab), 'hosts', host);

/** What `lab up` records for the other commands. */
export const recordFile = (places: Places, name: string): string => join(labFolder(places, name), 'lab.json');

/** While this file exists nothing of the lab may start. */
export const goingDown = (places: Places, name: string): string => join(labFolder(places, name), 'going-down');

/** How many milliseconds late a segment is; absent where it is not. */
export const delayFile = (places: Places, name: string, bridge: string): string =>
  join(labFolder(places, name), `delay-${bridge}`);

/** The same, where the segment's guests make it late. */
export const guestDelayFile = (places: Places, name: string, bridge: string): string =>
  join(labFolder(places, name), `delay-by-guests-${bridge}`);

/** Six characters that stand for the lab in names that must be short: links have at most 15. */
export const labId = (name: string): string => createHash('sha256').update(name).digest('hex').slice(0, 6);

/** The prefix of all that the lab names on this machine: namespaces, control groups, machines; and its uplink. */
export const labPrefix = (name: string): string => `kbs-${labId(name)}`;

/** The lab's control group, below every hierarchy. */
export const labGroup = labPrefix;
export const hostGroup = (lab: string, host: string): string => `${labGroup(lab)}/h-${host}`;

export const switchNamespace = (lab: string): string => `${labPrefix(lab)}-switch`;
export const routerNamespace = (lab: string): string => `${labPrefix(lab)}-router`;
export const hostNamespace = (lab: string, host: string): string => `${labPrefix(lab)}-h-${host}`;
export const namespaceFile = (namespace: string): string => `/run/netns/${namespace}`;

/** The name of the link between this machine and the lab's switch. */
export const uplink = labPrefix;
