import { defined } from '../defined.js';
import { frozen, type Hierarchies, hierarchies, memoryOf, processesIn } from './cgroups.js';
import { type Delay, readDelays } from './delay.js';
import { isStanding, readRecords } from './find.js';
import { type Lab, type LabHost, type LabRecord, labHostOf, labOf } from './lab.js';
import { type Partition, readPartitions } from './partitions.js';
import { hostGroup, type Places, placesOf } from './paths.js';
import type { HostSpec } from './spec.js';

export interface LabStatus {
  readonly lab: Lab;
  /** ISO 8601. */
  readonly since: string;
  readonly inventoryFile?: string;
  /** Whether `up` came to its end and the network still stands: false after a crash or a reboot of this machine. */
  readonly standing: boolean;
  readonly hosts: readonly LabHostStatus[];
  /** Pairs of hosts that nothing passes between. */
  readonly partitions: readonly Partition[];
  /** Segments that are slow on purpose. */
  readonly delays: readonly Delay[];
}

export interface LabHostStatus extends LabHost {
  readonly state: 'running' | 'paused' | 'off';
  /** Bytes that its control group holds, page cache included; absent where this kernel does not count them. */
  readonly memory?: number;
}

/** All labs of this machine, by name. */
export const labStatus = async (places: Places = placesOf()): Promise<readonly LabStatus[]> => {
  const records = await readRecords(places);
  if (records.length === 0) return [];
  const tree = await hierarchies();
  return Promise.all(records.map((record) => statusOf(places, tree, record)));
};

const statusOf = async (places: Places, tree: Hierarchies, record: LabRecord): Promise<LabStatus> => ({
  lab: labOf(places, record),
  since: record.since,
  ...(record.inventoryFile === undefined ? {} : { inventoryFile: record.inventoryFile }),
  standing: await isStanding(record),
  hosts: await Promise.all(record.spec.hosts.map((host) => hostStatus(places, tree, record.name, host))),
  partitions: await readPartitions(record.name, record.spec),
  delays: await readDelays(record.name, record.spec, places),
});

const hostStatus = async (places: Places, tree: Hierarchies, lab: string, host: HostSpec): Promise<LabHostStatus> => {
  const group = hostGroup(lab, host.name);
  const running = (await processesIn(tree, group)).length > 0;
  const memory = running ? await memoryOf(tree, group) : undefined;
  const state = !running ? 'off' : (await frozen(tree, group)) ? 'paused' : 'running';
  return { ...labHostOf(places, lab, host), state, ...defined({ memory }) };
};
