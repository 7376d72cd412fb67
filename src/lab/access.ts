import { chmod, readdir, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { sh } from '../hosts/shell.js';
import { makePrivateFolder } from '../private-folder.js';
import { giveTo, makeFile } from './files.js';
import { type SshJson, sshJson } from './overlay.js';
import { shell } from './shell.js';
import { type HostSpec, hostAddresses } from './spec.js';

/** The private key of a lab and its known_hosts, in the lab's folder beside the inventory. */
export const operatorKey = (state: string): string => join(state, 'key');
export const knownHostsFile = (state: string): string => join(state, 'known_hosts');

/** Makes a new key that opens every host, and gives its public half. */
export const makeOperatorKey = async (state: string): Promise<string> => {
  makePrivateFolder(state);
  await chmod(state, 0o700);
  const key = operatorKey(state);
  const text = await shell(
    "making the lab's key",
    sh`rm -f ${key} ${`${key}.pub`}
ssh-keygen -q -t ed25519 -N '' -C kbs-lab -f ${key}
cat ${`${key}.pub`}`,
  );
  return text.trim();
};

/** Writes the hosts' keys for SSH clients, and for kbs that the hosts of this inventory are a lab's. */
export const grantAccess = async (state: string, hosts: readonly KnownHost[]): Promise<void> => {
  const answer: SshJson = {
    key: operatorKey(state),
    knownHosts: knownHostsFile(state),
    addresses: Object.fromEntries(hosts.map(({ host }) => [host.name, host.address])),
  };
  await makeFile(knownHostsFile(state), hosts.map(knownHost).join(''));
  await makeFile(join(state, sshJson), `${JSON.stringify(answer, undefined, 2)}\n`);
  await handOver(state);
};

/** Takes the files away, and each folder of the lab's and the cluster's where nothing else lies. */
export const revokeAccess = async (state: string): Promise<void> => {
  for (const name of files) await rm(join(state, name), { force: true });
  for (const folder of [state, dirname(state), dirname(dirname(state))]) {
    if (!(await removeEmpty(folder))) return;
  }
};

/** A folder with nothing but the `.gitignore` that kbs keeps there is empty too. */
const removeEmpty = async (folder: string): Promise<boolean> => {
  try {
    const names = await readdir(folder);
    if (names.some((name) => name !== gitignore)) return false;
    await rm(join(folder, gitignore), { force: true });
    await rmdir(folder);
    return true;
  } catch {
    return false;
  }
};

const gitignore = '.gitignore';

export interface KnownHost {
  readonly host: HostSpec;
  /** `TYPE BASE64`. */
  readonly key: string;
}

/** sshd(8), SSH_KNOWN_HOSTS FILE FORMAT: another port than 22 is written `[name]:port`. */
const knownHost = ({ host, key }: KnownHost): string => {
  const names = [...new Set([...hostAddresses(host), host.sshAddress, host.name])];
  const ported = host.sshPort === 22 ? [] : names.map((name) => `[${name}]:${host.sshPort}`);
  return `${[...names, ...ported].join(',')} ${key}\n`;
};

/** A lab needs root, the inventory's owner need not: what lies beside the inventory becomes theirs. */
const handOver = async (state: string): Promise<void> => {
  const project = dirname(dirname(dirname(state)));
  const owner = await stat(project);
  const root = dirname(dirname(state));
  await giveTo(owner, root, join(root, gitignore), dirname(state), state, ...files.map((name) => join(state, name)));
};

const files = ['key', 'key.pub', 'known_hosts', sshJson];
