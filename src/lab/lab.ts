import { join } from 'node:path';
import { knownHostsFile, operatorKey } from './access.js';
import { hostFolder, hostNamespace, type Places, routerNamespace } from './paths.js';
import type { GuestImage, HostSpec, LabSpec } from './spec.js';

/** A whole inventory that stands on this machine: hosts, segments and, where none is listed, the router. */
export interface Lab {
  readonly name: string;
  /** The folder with `key`, `known_hosts` and `ssh.json`, beside the inventory. */
  readonly state: string;
  /** A private key that opens every host for every user. */
  readonly key: string;
  readonly knownHosts: string;
  readonly hosts: readonly LabHost[];
  /** The namespace of the router that the lab plays, where the inventory lists none. */
  readonly router?: string;
}

export interface LabHost {
  readonly name: string;
  readonly address: string;
  readonly segment: string;
  readonly platform: 'container' | 'vm';
  /** The system of a guest. */
  readonly image?: GuestImage;
  /** The network namespace of a container, for `ip netns exec`. */
  readonly namespace?: string;
  /** The file with what the host's machine printed since it was made. */
  readonly console: string;
}

/** What `lab up` records for the other commands. */
export interface LabRecord {
  readonly name: string;
  readonly state: string;
  readonly inventoryFile?: string;
  /** ISO 8601. */
  readonly since: string;
  /** Whether `up` came to its end. If not, the next `up` removes what is there first. */
  readonly complete: boolean;
  /** The process that is making the lab just now. */
  readonly up?: UpProcess;
  readonly spec: LabSpec;
}

export interface UpProcess {
  readonly pid: number;
  readonly started: string;
}

/** Takes a line of progress. */
export type Progress = (text: string) => void;

export const labOf = (places: Places, { name, state, spec }: LabRecord): Lab => ({
  name,
  state,
  key: operatorKey(state),
  knownHosts: knownHostsFile(state),
  hosts: spec.hosts.map((host) => labHostOf(places, name, host)),
  ...(spec.router.length === 0 ? {} : { router: routerNamespace(name) }),
});

export const labHostOf = (places: Places, lab: string, host: HostSpec): LabHost => ({
  name: host.name,
  address: host.address,
  segment: host.segment,
  ...(host.guest === undefined
    ? { platform: 'container', namespace: hostNamespace(lab, host.name) }
    : { platform: 'vm', image: host.guest.image }),
  console: consoleOf(places, lab, host.name),
});

export const consoleOf = (places: Places, lab: string, host: string): string =>
  join(hostFolder(places, lab, host), 'console.log');
