import type { Facts } from '../hosts/facts/facts.js';
import type { ClusterFacts, FailedHosts } from './check.js';

type Observed = Pick<ClusterFacts, 'facts'>;

/** Machines that were cloned and still have the machine-id of the original. */
export const checkMachineIds = (observed: Observed): FailedHosts =>
  shared(observed, ({ machineId }) => (machineId === '' ? [] : [machineId]), {
    what: 'machine-id',
    fix: 'rm /etc/machine-id && systemd-machine-id-setup && reboot',
  });

/** Of containers, the UUID is that of the machine around them. */
export const checkProductUuids = (observed: Observed): FailedHosts =>
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
  );

/** What a container shows of devices may be the machine's around it. */
export const checkMacs = (observed: Observed): FailedHosts =>
  shared(observed, ({ machine }) => (machine === undefined || isContainer(machine) ? [] : macsOf(machine)), {
    what: 'MAC address',
    fix: 'give it another one in its hypervisor (libvirt: virsh edit, without its <mac>; Proxmox: qm set ID --net0 virtio,bridge=BRIDGE)',
  });

const macsOf = ({ macs }: NonNullable<Facts['machine']>): readonly string[] =>
  macs.filter((mac) => !/^(00:)+00$/.test(mac));

export const checkSshHostKeys = (observed: Observed): FailedHosts =>
  shared(observed, ({ machine }) => machine?.sshHostKeys ?? [], {
    what: 'SSH host key',
    fix: 'rm /etc/ssh/ssh_host_*_key* && ssh-keygen -A && systemctl restart ssh; and here: ssh-keygen -R ADDRESS',
  });

export const checkHostnames = (observed: Observed): FailedHosts =>
  shared(observed, ({ hostname }) => (hostname === '' ? [] : [hostname]), {
    what: 'hostname',
    fix: 'hostnamectl set-hostname NAME',
  });

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
