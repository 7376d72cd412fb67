import { type Additions, forAll, masked, units } from '../customize-rootfs.js';
import { debianMirror, hostPackages } from '../rootfs.js';
import type { GuestImage } from '../spec.js';
import type { NetworkDaemon } from './links.js';
import type { Arch } from './processor.js';

/** What an image of guests is made of. */
export interface Recipe {
  readonly arch: Arch;
  readonly suite: string;
  readonly mirror: string;
  readonly packages: readonly string[];
  /** Packages whose scripts need the others configured, which debootstrap does not see to. */
  readonly later?: readonly string[];
  readonly additions: Additions;
  /** What gives links their addresses. */
  readonly links: NetworkDaemon;
}

/** The first process. The devices are not there yet, and what makes the guest this host lies on its second disk. */
const init = `#!/bin/sh
set -eu
if [ ! -s /etc/machine-id ]; then
  mount -t devtmpfs devtmpfs /dev
  modprobe -a virtio_pci virtio_blk
  until [ -b /dev/vda ]; do sleep 0.1; done
  tar -xf /dev/vda -C /
fi
exec /lib/systemd/systemd "$@"
`;

const delays = `[Unit]
Description=Delays of the lab
DefaultDependencies=no
After=systemd-modules-load.service
Before=network.target sysinit.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -euc 'for delay in /etc/kbs-lab/delay-*; do if [ -e "$delay" ]; then sh -eu "$delay"; fi; done'

[Install]
WantedBy=sysinit.target
`;

const manageHosts = `[Unit]
Description=/etc/hosts from its template at every boot, as cloud-init does with manage_etc_hosts
DefaultDependencies=no
Before=sysinit.target

[Service]
Type=oneshot
ExecStart=/bin/cp /etc/cloud/templates/hosts.debian.tmpl /etc/hosts

[Install]
WantedBy=sysinit.target
`;

const additions: Additions = {
  files: {
    ...forAll.files,
    'usr/lib/kbs-lab/init': init,
    [`${units}/kbs-lab-delays.service`]: delays,
    [`${units}/manage-etc-hosts.service`]: manageHosts,
    'etc/modules-load.d/network-card.conf': 'virtio_pci\nvirtio_net\nvirtio_rng\n',
    'etc/resolv.conf': '',
  },
  links: {
    ...forAll.links,
    ...masked(['systemd-logind.service']),
    [`${units}/sysinit.target.wants/kbs-lab-delays.service`]: '../kbs-lab-delays.service',
  },
};

/** All devices are the kernel's own, and looking at each again takes an emulated processor longer than the rest of a boot. */
const withoutUdev = masked([
  'ifupdown-pre.service',
  'systemd-udev-settle.service',
  'systemd-udev-trigger.service',
  'systemd-udevd-control.socket',
  'systemd-udevd-kernel.socket',
  'systemd-udevd.service',
]);

const trixie: Recipe = {
  arch: 'amd64',
  suite: 'trixie',
  mirror: debianMirror,
  packages: [...hostPackages, 'systemd-resolved', 'ifupdown'],
  additions: {
    files: additions.files,
    links: { ...additions.links, ...withoutUdev, 'etc/resolv.conf': '../run/systemd/resolve/stub-resolv.conf' },
  },
  links: 'ifupdown',
};

/**
 * Two machines as people have them. One resolves names through systemd-resolved, as Ubuntu and many clouds do, with the
 * network daemon of Debian's servers; the other one's is NetworkManager, which needs udev, and writes /etc/resolv.conf.
 */
export const recipes: Readonly<Record<GuestImage, Recipe>> = {
  'debian-13': trixie,
  'debian-13-arm64': { ...trixie, arch: 'arm64' },
  'debian-12': {
    arch: 'amd64',
    suite: 'bookworm',
    mirror: debianMirror,
    packages: [...hostPackages, 'udev'],
    later: ['network-manager'],
    additions,
    links: 'NetworkManager',
  },
};
