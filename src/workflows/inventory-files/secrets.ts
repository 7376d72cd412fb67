import { readFileSync } from 'node:fs';
import { defined } from '../../defined.js';
import { Failures } from '../../failure.js';
import { messageOf } from '../../hosts/message.js';
import type { Cluster, RegistryRule } from '../../inventory/cluster.js';
import { inventoryError } from '../../inventory/inventory-error.js';
import { externalEtcdKeyFile } from '../../pki/certificates.js';
import type { CredentialFile, Credentials } from '../../pki/credentials.js';
import { Secret } from '../../secret.js';
import { inventoryFailure } from '../inventory-failure.js';
import type { LoadedCluster } from '../load-cluster.js';

/** Secrets that are not in the keyring, but where the inventory says. */
export interface OwnerSecrets {
  /** By the registry's name. */
  readonly registryPasswords: ReadonlyMap<string, Secret>;
  /** PEM: the key of the client of an external etcd. */
  readonly externalEtcdKey?: Secret;
}

/**
 * The key that was read with the inventory, and the passwords that `registries.NAME.auth` names: the first line of a file,
 * or a variable of `environment`. Throws a Failure for each password that is not there.
 */
export const readOwnerSecrets = (
  { cluster, text, inventory, externalEtcdKey }: LoadedCluster,
  environment: NodeJS.ProcessEnv,
): OwnerSecrets => ({
  registryPasswords: readRegistryPasswords(cluster, environment, text, inventory),
  ...defined({ externalEtcdKey }),
});

/** The credentials with these secrets; a promise of them where they are still in the making. */
export const withOwnerSecrets = <T extends Credentials | Promise<Credentials>>(
  credentials: T,
  { registryPasswords, externalEtcdKey }: OwnerSecrets,
): Credentials | Promise<Credentials> => {
  const withKey = (file: CredentialFile): CredentialFile =>
    externalEtcdKey !== undefined && file.path === externalEtcdKeyFile ? { ...file, content: externalEtcdKey } : file;
  const complete = (those: Credentials): Credentials => ({
    ...those,
    files: (host) => those.files(host).map(withKey),
    registryPassword: (name) => registryPasswords.get(name) ?? those.registryPassword(name),
  });
  if (!(credentials instanceof Promise)) return complete(credentials);
  const completed = credentials.then(complete);
  // A run that fails before it needs them has an error of its own.
  completed.catch(() => {});
  return completed;
};

const readRegistryPasswords = (
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
