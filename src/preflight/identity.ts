import { unreadableCa } from '../hosts/facts/facts.js';
import { controlPlanes } from '../inventory/cluster.js';
import type { ClusterCheck, FailedHosts, IdentityFacts } from './check.js';

/**
 * Compares the cluster that each observed host belongs to with that of the keyring, and decides whether a keyring may
 * get a new CA. To be asked in every command that changes hosts, whatever was selected, before anything is issued.
 *
 * - A host of another cluster, or one whose CA cannot be read, fails: a new CA would end its credentials.
 * - A host of this cluster fails where the keyring lacks another root: a new one would not fit to the cluster. Not in
 *   `reset`, which ends it there.
 * - A keyring without a CA may create one in `init` and `apply` only, and only if no control plane has one: one that was
 *   not observed fails, for it may be part of a living cluster.
 *
 * Pure. Empty where all belong together.
 */
export const identityCheck = {
  name: 'authority',
  scope: 'cluster',
  summary: 'every host belongs to the cluster of the keyring, or to none',
  fix: 'bring the keyring of the cluster to .kbs beside the inventory',
  check: ({ workflow, cluster, facts, keyring }: IdentityFacts) => {
    const observed = [...facts].flatMap(([host, { clusterCa }]) => checkHost(host, clusterCa, keyring, workflow));
    if (keyring.ca !== undefined || observed.length > 0 || withoutCa.includes(workflow)) return observed;
    if (workflow !== 'init' && workflow !== 'apply') return [noCa(workflow)];
    return controlPlanes(cluster)
      .filter(({ name }) => !facts.has(name))
      .map(({ name }) => ({
        hosts: [name],
        detail:
          'the keyring has no CA, and this control plane, which was not observed, may belong to a cluster that has one',
        next: `observe every control plane (without --limit, --only and --from), or ${bringKeyring}; to make a new CA without asking: --skip-check authority`,
      }));
  },
} satisfies ClusterCheck;

/** They may run where the keyring has no CA. */
const withoutCa: readonly string[] = ['preflight', 'reset'];

const checkHost = (
  host: string,
  clusterCa: string | undefined,
  { ca, missing }: IdentityFacts['keyring'],
  workflow: string,
): FailedHosts => {
  if (clusterCa === undefined) return [];
  if (clusterCa === unreadableCa) {
    return [
      {
        hosts: [host],
        detail: 'cannot tell which cluster this host belongs to: its CA certificate cannot be read',
        next: `see openssl x509 -noout -fingerprint -sha256 -in ${caPath}; put that file back from another host of its cluster, or remove it if its cluster no longer exists`,
      },
    ];
  }
  if (clusterCa !== ca) {
    return [
      {
        hosts: [host],
        detail: 'this host belongs to a cluster whose CA is not in this keyring',
        why: [
          `the CA of the host has the SHA-256 fingerprint ${clusterCa}`,
          ca === undefined
            ? 'the keyring, .kbs beside the inventory, has no CA'
            : `the CA of the keyring, .kbs beside the inventory, has ${ca}`,
        ],
        next: `${bringKeyring}; to end the other cluster on this host for good: --skip-check authority`,
      },
    ];
  }
  if (missing.length === 0 || workflow === 'reset') return [];
  return [
    {
      hosts: [host],
      detail: 'this host belongs to a cluster that needs keys which the keyring lacks',
      why: missing.map((path) => `${path} is missing`),
      next: `${bringKeyring}, or put the files back from a control plane, where they lie under /etc/kubernetes`,
    },
  ];
};

const noCa = (workflow: string): FailedHosts[number] => ({
  hosts: [],
  detail: `the keyring has no CA, and ${workflow} needs the one of the cluster`,
  next: `${bringKeyring}; only init and apply create a CA, for a new cluster`,
});

const caPath = '/etc/kubernetes/pki/ca.crt';

const bringKeyring = 'bring the keyring of that cluster to .kbs beside the inventory';
