import { readFileSync } from 'node:fs';
import { Failures } from '../../failure.js';
import { messageOf } from '../../hosts/message.js';
import { inventoryError } from '../../inventory/inventory-error.js';
import type { Inventory } from '../../inventory/schema/schema.js';
import { inventoryFailure } from '../inventory-failure.js';
import { certificatesIn } from './pem-certificates.js';

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
    ca === undefined ? [] : [{ name, ...readCertificates(path(ca)) }],
  );
  const failures = read.flatMap(({ name, problem }) => {
    if (problem === undefined) return [];
    return [inventoryFailure(inventoryError(['registries', name, 'ca'], problem), text, file)];
  });
  if (failures.length > 0) throw new Failures(failures);
  return Object.fromEntries(read.map(({ name, pem }) => [name, pem]));
};

const readCertificates = (path: string): { readonly pem: string; readonly problem?: string } => {
  try {
    const pem = certificatesIn(readFileSync(path, 'utf8'));
    return pem === '' ? { pem, problem: `${path} holds no PEM certificate` } : { pem };
  } catch (error) {
    return { pem: '', problem: `cannot read certificates from ${path}: ${messageOf(error)}` };
  }
};
