import { readdir } from 'node:fs/promises';
import { makeFile, readIfThere } from './files.js';
import type { LabRecord } from './lab.js';
import { type Places, recordFile } from './paths.js';

/** The record of a lab, or undefined where none was made or what lies there is none. */
export const readRecord = async (places: Places, name: string): Promise<LabRecord | undefined> => {
  const text = await readIfThere(recordFile(places, name));
  try {
    const record = JSON.parse(text ?? '{}') as Partial<LabRecord>; // only writeRecord writes it
    return record.spec === undefined ? undefined : (record as LabRecord); // an older kbs wrote no spec
  } catch {
    return undefined;
  }
};

export const writeRecord = (places: Places, record: LabRecord): Promise<void> =>
  makeFile(recordFile(places, record.name), `${JSON.stringify(record, undefined, 2)}\n`);

/** The names of all labs that left anything in the home of labs; a file system's lost+found is none. */
export const labNames = async (places: Places): Promise<readonly string[]> => {
  const entries = await readdir(places.home, { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isDirectory() && entry.name !== 'lost+found').map((entry) => entry.name);
};
