import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Failure, Failures } from '../failure.js';
import { messageOf } from '../hosts/message.js';
import { inventoryError } from '../inventory/inventory-error.js';
import type { Inventory } from '../inventory/schema/schema.js';
import { readSource } from '../inventory/source.js';

/**
 * The PEM certificates that `registries.NAME.ca` names, by the registry's name. `path` makes a path of the inventory
 * absolute. Throws a Failure for every file that cannot be read or holds no certificate; `file` is the inventory as the
 * operator named it, and `text` what it says.
 */
export const readRegistryCas = (
  { registries = {} }: Pick<Inventory, 'registries'>,
  path: (written: string) => string,
  text: string,
  file: string,
): Readonly<Record<string, string>> => {
  const read = Object.entries(registries).flatMap(([name, { ca }]) =>
    ca === undefined ? [] : [{ name, ...certificatesIn(path(ca)) }],
  );
  const failures = read.flatMap(({ name, problem }) => {
    if (problem === undefined) return [];
    const { line, column, message } = readSource(text).locate(inventoryError(['registries', name, 'ca'], problem));
    return [new Failure('inventory', message, { where: { position: `${file}:${line}:${column}` } })];
  });
  if (failures.length > 0) throw new Failures(failures);
  return Object.fromEntries(read.map(({ name, pem }) => [name, pem]));
};

/** What stands around the certificates of a file, such as their text form, is left out. */
const certificatesIn = (path: string): { readonly pem: string; readonly problem?: string } => {
  try {
    const blocks = readFileSync(path, 'utf8').match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
    if (blocks.length === 0) return { pem: '', problem: `${path} holds no PEM certificate` };
    return { pem: blocks.map((block) => new X509Certificate(block).toString()).join('') };
  } catch (error) {
    return { pem: '', problem: `cannot read certificates from ${path}: ${messageOf(error)}` };
  }
};
