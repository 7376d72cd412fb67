import { readFileSync } from 'node:fs';
import { Failures } from '../../failure.js';
import { messageOf } from '../../hosts/message.js';
import type { Cluster, RegistryRule } from '../../inventory/cluster.js';
import { inventoryError } from '../../inventory/inventory-error.js';
import type { Credentials } from '../../pki/credentials.js';
import { Secret } from '../../secret.js';
import { inventoryFailure } from '../inventory-failure.js';

/**
 * The passwords that `registries.NAME.auth` names, by the registry's name: the first line of a file, or a variable of
 * `environment`. Throws a Failure for each that is not there; `file` is the inventory as it is named to the operator, and
 * `text` what it says.
 */
export const readRegistryPasswords = (
  { registries = [] }: Pick<Cluster, 'registries'>,
  environment: NodeJS.ProcessEnv,
  text: string,
  file: string,
): ReadonlyMap<string, Secret> => {
  const read = registries.flatMap((rule) =>
    rule.auth ? [{ name: rule.name, ...passwordOf(rule.auth, environment) }] : [],
  );
  const failures = read.flatMap(({ name, key, problem }) => {
    if (problem === undefined) return [];
    return [inventoryFailure(inventoryError(['registries', name, 'auth', key], problem), text, file)];
  });
  if (failures.length > 0) throw new Failures(failures);
  return new Map(read.map(({ name, password }) => [name, new Secret(password)]));
};

/** The credentials with these passwords; a promise of them where they are still in the making. */
export const withRegistryPasswords = <T extends Credentials | Promise<Credentials>>(
  credentials: T,
  passwords: ReadonlyMap<string, Secret>,
): Credentials | Promise<Credentials> => {
  const complete = (those: Credentials): Credentials => ({
    ...those,
    registryPassword: (name) => passwords.get(name) ?? those.registryPassword(name),
  });
  if (!(credentials instanceof Promise)) return complete(credentials);
  const completed = credentials.then(complete);
  // A run that fails before it needs them has an error of its own.
  completed.catch(() => {});
  return completed;
};

interface Read {
  /** The field that says where it is. */
  readonly key: string;
  readonly password: string;
  readonly problem?: string;
}

const passwordOf = ({ password }: NonNullable<RegistryRule['auth']>, environment: NodeJS.ProcessEnv): Read => {
  if ('variable' in password) {
    const key = 'passwordVariable';
    const value = environment[password.variable] ?? '';
    return value === ''
      ? { key, password: '', problem: `the variable ${password.variable} is not set` }
      : { key, password: value };
  }
  const key = 'passwordFile';
  try {
    const [line = ''] = readFileSync(password.file, 'utf8').split(/\r?\n/);
    return line === ''
      ? { key, password: '', problem: `the first line of ${password.file} is empty` }
      : { key, password: line };
  } catch (error) {
    return { key, password: '', problem: `cannot read a password from ${password.file}: ${messageOf(error)}` };
  }
};
