import { type Additions, forAll, masked, units } from '../customize-rootfs.js';
import { debianMirror, hostPackages } from '../rootfs.js';
import type { GuestImage } from '../spec.js';

/** What an image of guests is made of. */
export interface Recipe {
  readonly suite: string;
  readonly mirror: string;
  readonly packages: readonly string[];
  readonly additions: Additions;
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

const network = `[Unit]
Description=Addresses and routes of the lab
DefaultDependencies=no
After=systemd-modules-load.service
Before=network.target sysinit.target
Wants=network.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -eu /etc/kbs-lab/network
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
    [`${units}/kbs-lab-network.service`]: network,
    [`${units}/manage-etc-hosts.service`]: manageHosts,
    'etc/modules-load.d/network-card.conf': 'virtio_pci\nvirtio_net\nvirtio_rng\n',
    'etc/resolv.conf': '',
  },
  links: {
    ...forAll.links,
    // All devices are the kernel's own, and looking at each again takes an emulated processor longer than the rest.
    ...masked([
      'systemd-logind.service',
      'systemd-udev-settle.service',
      'systemd-udev-trigger.service',
      'systemd-udevd-control.socket',
      'systemd-udevd-kernel.socket',
      'systemd-udevd.service',
    ]),
    [`${units}/sysinit.target.wants/kbs-lab-network.service`]: '../kbs-lab-network.service',
  },
};

/** One of them resolves names through systemd-resolved, as Ubuntu and many clouds do; the other has an empty resolv.conf. */
export const recipes: Readonly<Record<GuestImage, Recipe>> = {
  'debian-13': {
    suite: 'trixie',
    mirror: debianMirror,
    packages: [...hostPackages, 'systemd-resolved'],
    additions: {
      files: additions.files,
      links: { ...additions.links, 'etc/resolv.conf': '../run/systemd/resolve/stub-resolv.conf' },
    },
  },
  'debian-12': { suite: 'bookworm', mirror: debianMirror, packages: hostPackages, additions },
};
