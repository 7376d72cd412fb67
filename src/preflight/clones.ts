import type { Facts } from '../hosts/facts/facts.js';
import type { ClusterCheck, ClusterFacts, FailedHosts } from './check.js';

type Observed = Pick<ClusterFacts, 'facts'>;

/** Machines that were cloned and still have the machine-id of the original. */
export const machineIdsCheck = {
  name: 'machine-id',
  scope: 'cluster',
  summary: 'every machine has a machine-id of its own',
  fix: 'on all clones but one: rm /etc/machine-id && systemd-machine-id-setup && reboot',
  check: (observed: Observed) =>
    shared(observed, ({ machineId }) => (machineId === '' ? [] : [machineId]), {
      what: 'machine-id',
      fix: 'rm /etc/machine-id && systemd-machine-id-setup && reboot',
    }),
} satisfies ClusterCheck;

/** Of containers, the UUID is that of the machine around them. */
export const productUuidsCheck = {
  name: 'product-uuid',
  scope: 'cluster',
  warns: true,
  summary: 'every machine has a product UUID (DMI) of its own; containers share that of their machine',
  fix: 'give clones another UUID in their hypervisor',
  check: (observed: Observed) =>
    shared(
      observed,
      ({ machine }) =>
        machine?.productUuid === undefined || isContainer(machine) || isDummy(machine.productUuid)
          ? []
          : [machine.productUuid],
      {
        what: 'product UUID',
        fix: 'give it another one in its hypervisor while it is off (libvirt: virsh edit, without its <uuid>; Proxmox: qm set ID --smbios1 uuid=$(uuidgen))',
      },
    ),
} satisfies ClusterCheck;

/** What a container shows of devices may be the machine's around it. */
export const macsCheck = {
  name: 'mac',
  scope: 'cluster',
  warns: true,
  summary: 'no two machines have the same MAC address',
  fix: 'give clones another MAC address in their hypervisor',
  check: (observed: Observed) =>
    shared(observed, ({ machine }) => (machine === undefined || isContainer(machine) ? [] : macsOf(machine)), {
      what: 'MAC address',
      fix: 'give it another one in its hypervisor (libvirt: virsh edit, without its <mac>; Proxmox: qm set ID --net0 virtio,bridge=BRIDGE)',
    }),
} satisfies ClusterCheck;

const macsOf = ({ macs }: NonNullable<Facts['machine']>): readonly string[] =>
  macs.filter((mac) => !/^(00:)+00$/.test(mac));

export const sshHostKeysCheck = {
  name: 'ssh-host-key',
  scope: 'cluster',
  warns: true,
  summary: 'every machine has SSH host keys of its own',
  fix: 'on all clones but one: rm /etc/ssh/ssh_host_*_key* && ssh-keygen -A && systemctl restart ssh',
  check: (observed: Observed) =>
    shared(observed, ({ machine }) => machine?.sshHostKeys ?? [], {
      what: 'SSH host key',
      fix: 'rm /etc/ssh/ssh_host_*_key* && ssh-keygen -A && systemctl restart ssh; and here: ssh-keygen -R ADDRESS',
    }),
} satisfies ClusterCheck;

export const hostnamesCheck = {
  name: 'hostname',
  scope: 'cluster',
  warns: true,
  summary: 'every machine has a hostname of its own',
  fix: 'hostnamectl set-hostname NAME',
  check: (observed: Observed) =>
    shared(observed, ({ hostname }) => (hostname === '' ? [] : [hostname]), {
      what: 'hostname',
      fix: 'hostnamectl set-hostname NAME',
    }),
} satisfies ClusterCheck;

/** Hosts that share a value which every machine has for itself; of several shared ones the first is named. */
const shared = (
  { facts }: Observed,
  values: (facts: Facts) => readonly string[],
  { what, fix }: { readonly what: string; readonly fix: string },
): FailedHosts => {
  const owners = new Map<string, string[]>();
  for (const [host, of] of facts) {
    for (const value of new Set(values(of))) owners.set(value, [...(owners.get(value) ?? []), host]);
  }
  const byHosts = new Map<string, FailedHosts[number]>();
  for (const [value, hosts] of owners) {
    const key = hosts.join(' ');
    if (hosts.length < 2 || byHosts.has(key)) continue;
    byHosts.set(key, {
      hosts,
      detail: `${sentence(hosts)} have the same ${what}, ${value}: they are clones`,
      next: `on ${hosts.length === 2 ? 'one of them' : 'all but one of them'}: ${fix}`,
    });
  }
  return [...byHosts.values()];
};

const sentence = (hosts: readonly string[]): string => `${hosts.slice(0, -1).join(', ')} and ${hosts.at(-1)}`;

const isContainer = ({ kind }: NonNullable<Facts['machine']>): boolean => kind === 'container' || kind === undefined;

/** What firmware holds where the maker has set no UUID. */
const isDummy = (uuid: string): boolean =>
  !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(uuid) ||
  /^(.)\1*$/.test(uuid.replaceAll('-', '')) ||
  ['03000200-0400-0500-0006-000700080009', '00020003-0004-0005-0006-000700080009'].includes(uuid);
