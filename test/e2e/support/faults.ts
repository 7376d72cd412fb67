import type { CheckName } from '../../../src/preflight/check-names.js';
import type { Preflight } from '../../../src/workflows/preflight.js';
import type { Project } from './project.js';

/** Something that is wrong with a host, as people have it: how it comes about, and what preflight says of it. */
export interface Fault {
  /** The host that preflight names. */
  readonly host: string;
  readonly check: CheckName;
  /** A part of what is wrong. */
  readonly detail: string;
  /** A part of the next step; a command where the step names one. */
  readonly next: string;
  /** Shell that makes it so, as root. */
  readonly plant: string;
  /** Shell that does what `next` says, where that is no command itself. */
  readonly fix?: string;
  /** The host to plant it on and to fix it on, where that is another one. */
  readonly at?: string;
}

/** A fault of one machine by itself, wherever it is. */
export type FaultKind = Omit<Fault, 'host'>;

export const on = (host: string, ...kinds: readonly FaultKind[]): readonly Fault[] =>
  kinds.map((kind) => ({ ...kind, host }));

/** Each host gets its faults in their order. */
export const plant = (project: Project, faults: readonly Fault[]): Promise<unknown> =>
  onEach(project, faults, (fault) => fault.plant);

export const fix = (project: Project, faults: readonly Fault[]): Promise<unknown> =>
  onEach(project, faults, (fault) => fault.fix ?? fault.next);

const onEach = (project: Project, faults: readonly Fault[], script: (fault: Fault) => string): Promise<unknown> => {
  const machine = ({ host, at = host }: Fault) => at;
  return Promise.all(
    [...new Set(faults.map(machine))].map((name) =>
      project.on(
        name,
        faults
          .filter((fault) => machine(fault) === name)
          .map(script)
          .join('\n'),
      ),
    ),
  );
};

/** The faults that a preflight did not name, and what else it found: both are empty where it told the truth. */
export const compare = ({ checks }: Preflight, faults: readonly Fault[]) => {
  const found = checks.filter(({ ok, warning }) => !ok || warning);
  const tells = (fault: Fault, { name, hosts, detail, next = '' }: (typeof found)[number]) =>
    name === fault.check && hosts.includes(fault.host) && detail.includes(fault.detail) && next.includes(fault.next);
  return {
    notNamed: faults
      .filter((fault) => !found.some((result) => tells(fault, result)))
      .map(({ host, check, detail, next }) => `${host} ${check}: ${detail} → ${next}`),
    others: found
      .filter((result) => !faults.some((fault) => tells(fault, result)))
      .map(({ name, hosts, detail, next }) => `${hosts.join()} ${name}: ${detail} → ${next}`),
  };
};

const away = (program: string) => `mv ${program} ${program}.away`;
const back = (program: string) => `mv ${program}.away ${program}`;

const withoutApt = 'Debian GNU/Linux 12 (bookworm) has neither apt nor dnf, by which kbs installs packages';

/** A program that is not there. */
export const without = {
  nft: {
    check: 'packages',
    detail: `nftables is not installed, and ${withoutApt}`,
    next: 'install it yourself',
    plant: `${away('/usr/sbin/nft')}; ${away('/usr/bin/apt-get')}`,
    fix: `${back('/usr/sbin/nft')}; ${back('/usr/bin/apt-get')}`,
  },
  sha256sum: {
    check: 'tools',
    detail: 'sha256sum is not installed',
    next: 'install the package that brings sha256sum',
    plant: away('/usr/bin/sha256sum'),
    fix: back('/usr/bin/sha256sum'),
  },
  /** Of a load balancer. */
  apt: {
    check: 'packages',
    detail: `haproxy and keepalived are not installed, and ${withoutApt}`,
    next: 'install them yourself',
    plant: away('/usr/bin/apt-get'),
    fix: back('/usr/bin/apt-get'),
  },
} as const satisfies Readonly<Record<string, FaultKind>>;

/** A port that another program has. */
export const taken = (port: number, owner: string): FaultKind => ({
  check: 'ports',
  detail: `port ${port}, which ${owner} needs, is in use by socat`,
  next: 'stop it, or see which program it is: ss -ltnp',
  plant: `systemd-run -q --collect --unit=squatter-${port} socat TCP-LISTEN:${port},fork EXEC:true`,
  fix: `systemctl stop squatter-${port}`,
});

export const readOnly = (folder: string): FaultKind => ({
  check: 'writable',
  detail: `${folder} cannot be written: ${folder} (overlay) is mounted read-only`,
  next: `mount -o remount,rw ${folder}`,
  plant: `mount --bind ${folder} ${folder}; mount -o remount,bind,ro ${folder}`,
});

export const noPrograms = (folder: string): FaultKind => ({
  check: 'noexec',
  detail: `no program can be started below ${folder}: ${folder} is mounted noexec`,
  next: `mount -o remount,exec ${folder}`,
  plant: `mount -t tmpfs -o noexec tmpfs ${folder}`,
});

export const full = (folder: string): FaultKind => ({
  check: 'disk-space',
  detail: `${folder} has 32 MiB free, and kbs needs `,
  next: 'enlarge it',
  plant: `mkdir -p ${folder}; mount -t tmpfs -o size=32m tmpfs ${folder}`,
  fix: `mount -o remount,size=2g ${folder}`,
});

export const withoutInodes = (folder: string): FaultKind => ({
  check: 'disk-space',
  detail: `${folder} takes only 2 more files`,
  next: 'delete files that are not needed',
  plant: `mount -t tmpfs -o nr_inodes=3 tmpfs ${folder}`,
  fix: `mount -o remount,nr_inodes=100k ${folder}`,
});

export const withoutKernelLog: FaultKind = {
  check: 'kernel-log',
  detail: 'there is no /dev/kmsg in this container (systemd-nspawn)',
  next: 'give the container /dev/kmsg',
  plant: 'umount -l /dev/kmsg; rm -f /dev/kmsg',
  fix: 'mknod -m 600 /dev/kmsg c 1 11',
};

/** A package that changes what a unit starts, as that of kubeadm does. */
export const dropIn = (unit: string): FaultKind => {
  const packaged = `/usr/lib/systemd/system/${unit}.d`;
  const own = `/etc/systemd/system/${unit}.d`;
  return {
    check: 'foreign-unit',
    detail: `10-other.conf sets ExecStart, so ${unit} would not run what kbs installs`,
    next: `mkdir -p ${own} && ln -s /dev/null ${own}/10-other.conf`,
    plant: `mkdir -p ${packaged}; printf '%s\\n' '[Service]' ExecStart= ExecStart=/usr/bin/other > ${packaged}/10-other.conf`,
  };
};

/** Another DNS server at an address of the host. */
export const otherDns = (address: string): FaultKind => ({
  check: 'dns-port',
  detail: `port 53, which the DNS server needs, is in use by socat on ${address}`,
  next: 'stop it, or bind it to other addresses',
  plant: `systemd-run -q --collect --unit=other-dns socat TCP-LISTEN:53,bind=${address},fork EXEC:true`,
  fix: 'systemctl stop other-dns',
});
