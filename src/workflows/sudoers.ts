import { elevationOf } from '../hosts/become.js';
import { sshCompletion } from '../hosts/ssh/ssh-config.js';
import { sudoAlias, sudoRule } from '../hosts/sudoers.js';
import type { ClusterHost } from '../inventory/cluster.js';
import { unknownName } from '../inventory/did-you-mean.js';
import { loadCluster } from './load-cluster.js';

/** What sudo must allow on hosts. */
export interface SudoRules {
  readonly cluster: string;
  /** Lines that come before all rules. */
  readonly alias: readonly string[];
  readonly rules: readonly SudoRuleOfUser[];
  /** Hosts on which kbs does not use sudo, and why. */
  readonly others: readonly { readonly host: string; readonly why: string }[];
}

export interface SudoRuleOfUser {
  readonly user: string;
  readonly hosts: readonly Pick<ClusterHost, 'name' | 'roles'>[];
  readonly line: string;
}

/** The sudo rules of an inventory's hosts, or of those that are named; no host is contacted. */
export const sudoRules = async (file: string, names: readonly string[]): Promise<SudoRules> => {
  const { cluster } = await loadCluster(file);
  const known = cluster.hosts.map(({ name }) => name);
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) throw unknownName('the inventory has no host', unknown, known);
  const complete = sshCompletion();
  const hosts = await Promise.all(
    cluster.hosts
      .filter(({ name }) => names.length === 0 || names.includes(name))
      .map(async ({ name, roles, ssh }) => ({ name, roles, ssh: await complete(name, ssh) })),
  );
  const usesSudo = hosts.filter(({ ssh }) => elevationOf(ssh) === 'sudo');
  const users = [...new Set(usesSudo.map(({ ssh }) => ssh.user))];
  return {
    cluster: cluster.name,
    alias: sudoAlias,
    rules: users.map((user) => ({
      user,
      hosts: usesSudo.filter(({ ssh }) => ssh.user === user).map(({ name, roles }) => ({ name, roles })),
      line: sudoRule(user),
    })),
    others: hosts
      .filter((host) => !usesSudo.includes(host))
      .map(({ name, ssh }) => ({
        host: name,
        why: elevationOf(ssh) === 'doas' ? `${ssh.user} becomes root by doas` : `kbs runs as ${ssh.user} there`,
      })),
  };
};
