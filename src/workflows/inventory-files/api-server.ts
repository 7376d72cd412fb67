import { readFileSync } from 'node:fs';
import { Failure, Failures } from '../../failure.js';
import { messageOf } from '../../hosts/message.js';
import type { Values } from '../../inventory/cluster.js';
import { type ApiServerFile, parseApiServerFile } from '../../inventory/components/api-server-files.js';
import { inventoryError } from '../../inventory/inventory-error.js';
import type { Inventory } from '../../inventory/schema/schema.js';
import { inventoryFailure } from '../inventory-failure.js';

/**
 * What the files hold that `kubernetes.apiServer` names. `path` makes a path of the inventory absolute. Throws a Failure
 * for every file that cannot be read, at its place in the inventory, and one for every mistake in a file, at its place
 * there; `file` is the inventory as the operator named it, and `text` what it says.
 */
export const readApiServerFiles = (
  { kubernetes: { apiServer } }: Pick<Inventory, 'kubernetes'>,
  path: (written: string) => string,
  text: string,
  file: string,
): Readonly<Partial<Record<ApiServerFile, Values>>> => {
  const named = [
    { name: 'policy', written: apiServer?.audit?.policy, at: ['audit', 'policy'] },
    { name: 'admission', written: apiServer?.admission, at: ['admission'] },
    { name: 'authentication', written: apiServer?.authentication, at: ['authentication'] },
  ] as const;
  const read = named.flatMap(({ name, written, at }) => {
    if (written === undefined) return [];
    const opened = open(path(written));
    if ('problem' in opened) {
      return [
        {
          name,
          failures: [inventoryFailure(inventoryError(['kubernetes', 'apiServer', ...at], opened.problem), text, file)],
        },
      ];
    }
    const parsed = parseApiServerFile(name, opened.content);
    if ('value' in parsed) return [{ name, value: parsed.value, failures: [] }];
    return [
      {
        name,
        failures: parsed.errors.map(({ line, column, message }) => failure(message, path(written), line, column)),
      },
    ];
  });
  const failures = read.flatMap((each) => each.failures);
  if (failures.length > 0) throw new Failures(failures);
  return Object.fromEntries(read.flatMap((each) => ('value' in each ? [[each.name, each.value]] : [])));
};

const open = (path: string): { readonly content: string } | { readonly problem: string } => {
  try {
    return { content: readFileSync(path, 'utf8') };
  } catch (error) {
    return { problem: `cannot read ${path}: ${messageOf(error)}` };
  }
};

const failure = (message: string, file: string, line: number, column: number): Failure =>
  new Failure('inventory', message, { where: { position: `${file}:${line}:${column}` } });
