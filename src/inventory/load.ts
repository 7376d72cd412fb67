import { readFile } from 'node:fs/promises';
import { Failure, Failures } from '../failure.js';
import { check } from './checks/index.js';
import { freeze } from './freeze.js';
import { without } from './partial.js';
import { type Inventory, inventorySchema } from './schema.js';
import { schemaErrors } from './schema-errors.js';
import { type LocatedError, readSource } from './source.js';
import { resolveVersion } from './version.js';

/** Reads an inventory's text. A file that cannot be read is a Failure that says how to make one. */
export const readInventory = (file: string): Promise<string> =>
  readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new Failure('inventory', `${file} cannot be read`, {
      why: [cause.message],
      next: 'name another file with -i, or write one to start from: kbs inventory init',
      cause,
    });
  });

/**
 * The inventory in a text, or Failures with `file:line:column` for every mistake in it, all at once. Checks between
 * fields see what could be read, so that one wrong field does not hide another mistake.
 * `versions` are the Kubernetes versions of the catalogue.
 */
export const parseInventory = (text: string, file: string, versions: readonly string[]): Inventory => {
  const source = readSource(text);
  if (source.value === undefined) throw failures(source.faults, file);
  const read = inventorySchema.safeParse(source.value);
  const wrong = read.success ? [] : schemaErrors(read.error.issues, source);
  const draft = without(
    source.value,
    wrong.map(({ path }) => path),
  );
  const faults = [...source.faults, ...[...wrong, ...check(draft, versions)].map(source.place)];
  if (faults.length > 0 || !read.success) throw failures(faults, file);
  const { kubernetes } = read.data;
  const version = resolveVersion(kubernetes.version, versions) ?? kubernetes.version;
  return freeze({ ...read.data, kubernetes: { ...kubernetes, version } });
};

/** In the order of the file; a place with one mistake told twice is told once. */
const failures = (faults: readonly LocatedError[], file: string): Failures => {
  const told = new Map(faults.map((fault) => [`${fault.line}:${fault.column} ${fault.message}`, fault]));
  const sorted = [...told.values()].sort((a, b) => a.line - b.line || a.column - b.column);
  return new Failures(
    sorted.map(
      ({ line, column, message }) =>
        new Failure('inventory', message, { where: { position: `${file}:${line}:${column}` } }),
    ),
  );
};
