import { Failure } from '../failure.js';
import { readIfThere } from './files.js';
import type { LabRecord, UpProcess } from './lab.js';

/** This process, so that another can tell whether the `up` of a record still runs. */
export const upProcess = async (): Promise<UpProcess> => ({ pid: process.pid, started: await startOf(process.pid) });

/** Refuses while another process makes this lab; one that ended, or this one, does not count. */
export const requireIdle = async (record: LabRecord | undefined): Promise<void> => {
  const up = record?.up;
  if (record === undefined || up === undefined || up.pid === process.pid) return;
  if ((await startOf(up.pid)) !== up.started) return;
  throw new Failure('locked', `the lab ${record.name} is being made by process ${up.pid}`, {
    next: `wait for it, or end it: kill ${up.pid}`,
  });
};

/** proc_pid_stat(5), field 22: a pid is used again, a pid with its start time is not. Empty for no process. */
const startOf = async (pid: number): Promise<string> => {
  const text = (await readIfThere(`/proc/${pid}/stat`)) ?? '';
  return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? '';
};
