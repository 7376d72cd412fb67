import { Failure } from '../failure.js';
import type { Hierarchies } from './cgroups.js';
import type { Progress } from './lab.js';
import type { Places } from './paths.js';
import type { HostSpec } from './spec.js';

/**
 * What a lab's host is made of. Power, cables, partitions and the console are the same for all: a host is a script that
 * runs in control groups of its own and holds the ends of cables into the switch.
 */
export interface Platform {
  /** Commands that this machine needs for such a host besides those of every lab. */
  commands(host: HostSpec): Commands;
  /** The folder that such a host starts from, with `etc/passwd` and the like; made where it is not there yet. */
  image(lab: LabAt, host: HostSpec, say: Progress): Promise<string>;
  /** Makes the disks of a host in its new folder, which has a link `image` to the above; gives its public key. */
  prepare(folder: string, host: HostSpec, operatorKey: string): Promise<string>;
  /** Shell that plugs the host's cables into the switch. */
  network(lab: string, host: HostSpec): string;
  /**
   * Shell that runs the host until its power is off, in its folder; gives its status as `status`. `network`, and
   * `enter` and `forget` for control groups, are functions there.
   */
  run(lab: string, host: HostSpec): string;
  /** Asks the host's own system to reboot, and comes back when the next boot has begun. */
  reboot(lab: LabAt, state: string, host: HostSpec): Promise<void>;
  /** Seconds from power on to an answering SSH server, at most. */
  readonly bootTime: number;
}

/** Commands, and the Debian packages that bring them. */
export type Commands = Readonly<Record<string, string>>;

/** A lab and where it is. */
export interface LabAt {
  readonly places: Places;
  readonly name: string;
  readonly tree: Hierarchies;
}

export const isOff = ({ name }: HostSpec): Failure =>
  new Failure('refused', 'the host is off', { where: { host: name }, next: `kbs lab start ${name}` });
