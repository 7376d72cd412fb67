import { Failure } from '../failure.js';
import { exists } from './files.js';
import type { LabRecord } from './lab.js';
import { namespaceFile, type Places, switchNamespace } from './paths.js';
import type { HostSpec } from './spec.js';
import { labNames, readRecord } from './state-file.js';

export interface FoundHost {
  readonly lab: string;
  readonly state: string;
  readonly host: HostSpec;
}

/** The hosts that a name means: `HOST`, `LAB/HOST`, `all` or `LAB/all`; never none, and `HOST` never two. */
export const findHosts = async (places: Places, name: string): Promise<readonly FoundHost[]> => {
  const [lab, host] = name.includes('/') ? name.split('/', 2) : [undefined, name];
  const records = (await readRecords(places)).filter((record) => lab === undefined || record.name === lab);
  const found = records.flatMap(({ name: owner, state, spec }) =>
    spec.hosts
      .filter((each) => host === 'all' || each.name === host)
      .map((each) => ({ lab: owner, state, host: each })),
  );
  if (found.length === 0) throw nothing(name, records);
  const labs = [...new Set(found.map((each) => each.lab))];
  if (labs.length > 1) {
    throw new Failure('usage', `${name} is in the labs ${labs.join(' and ')}`, {
      next: `say which: ${labs[0]}/${name}`,
    });
  }
  return found;
};

/** The record of a lab that is complete and has its network; refused where there is none. */
export const requireStanding = async (places: Places, lab: string): Promise<LabRecord> => {
  const record = await readRecord(places, lab);
  if (record !== undefined && (await isStanding(record))) return record;
  throw new Failure('usage', `no lab of ${lab} stands on this machine`, { next: 'kbs lab up, or: kbs lab status' });
};

/** False after a crash, and after a reboot of this machine, which takes the network. */
export const isStanding = async ({ complete, name }: LabRecord): Promise<boolean> =>
  complete && exists(namespaceFile(switchNamespace(name)));

/** The records of all labs of this machine, complete or not. */
export const readRecords = async (places: Places): Promise<readonly LabRecord[]> => {
  const records = await Promise.all((await labNames(places)).map((name) => readRecord(places, name)));
  return records.flatMap((record) => record ?? []);
};

const nothing = (name: string, records: readonly LabRecord[]): Failure => {
  const hosts = records.flatMap((record) => record.spec.hosts.map((host) => `${record.name}/${host.name}`));
  return new Failure('usage', `no lab has a host ${name}`, {
    why: [hosts.length === 0 ? 'no lab stands' : `there are ${hosts.join(', ')}`],
    next: 'kbs lab status',
  });
};
