import { readFile } from 'node:fs/promises';
import { Failure, Failures } from '../failure.js';
import { check } from './checks/index.js';
import { freeze } from './freeze.js';
import { without } from './partial.js';
import { schemaErrors } from './schema/errors.js';
import { type Inventory, inventorySchema } from './schema/schema.js';
import { type LocatedError, readSource } from './source.js';
import { resolveVersion } from './version.js';

/** Reads an inventory's text. Throws `inventory` where the file cannot be read. */
export const readInventory = (file: string): Promise<string> =>
  readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new Failure('inventory', `${file} cannot be read`, {
      why: [cause.message],
      next: 'name another file with -i, or write one to start from: kbs inventory init',
      cause,
    });
  });

/**
 * The inventory in a text, or Failures with `file:line:column` for every error in it. Checks between fields use what
 * could be read, so that one wrong field does not hide another error.
 * `versions` are the Kubernetes versions of the catalogue; `hosts` those of the internet that may have a mirror.
 */
export const parseInventory = (
  text: string,
  file: string,
  versions: readonly string[],
  hosts?: readonly string[],
): Inventory => {
  const source = readSource(text);
  if (source.value === undefined) throw failures(source.errors, file);
  const read = inventorySchema.safeParse(source.value);
  const schemaMistakes = read.success ? [] : schemaErrors(read.error.issues, source);
  const partial = without(
    source.value,
    schemaMistakes.map(({ path }) => path),
  );
  const errors = [...source.errors, ...[...schemaMistakes, ...check(partial, { versions, hosts })].map(source.locate)];
  if (errors.length > 0 || !read.success) throw failures(errors, file);
  const { kubernetes } = read.data;
  const version = resolveVersion(kubernetes.version, versions) ?? kubernetes.version;
  return freeze({ ...read.data, kubernetes: { ...kubernetes, version } });
};

/** In the order of the file, without duplicates. */
const failures = (errors: readonly LocatedError[], file: string): Failures => {
  const unique = new Map(errors.map((error) => [`${error.line}:${error.column} ${error.message}`, error]));
  const sorted = [...unique.values()].sort((a, b) => a.line - b.line || a.column - b.column);
  return new Failures(
    sorted.map(
      ({ line, column, message }) =>
        new Failure('inventory', message, { where: { position: `${file}:${line}:${column}` } }),
    ),
  );
};
