import type { System } from '../hosts/facts/facts.js';
import type { ClusterHost } from '../inventory/cluster.js';
import { hostPackages } from '../inventory/host-packages.js';
import type { HostCheck } from './check.js';

/** What kbs may not install, or has no means to, its owner does; kbs goes by the programs that are there. */
export const packagesCheck = {
  name: 'packages',
  scope: 'host',
  summary:
    'a host has the packages that it needs, or kbs can install them by apt or dnf: nftables on a node, iptables and ipset where kube-proxy is a unit of these modes, haproxy on a load balancer, keepalived with `endpoint.vip`',
  fix: 'install them with the package manager of the host, or let kbs do it: `packages: { source: host }`',
  check: (host, { system, os }, cluster) => {
    if (system?.packageManager === undefined) return [];
    const missing = Object.values(hostPackages(host, cluster))
      .flat()
      .filter((name) => !system.programs.includes(programs[name] ?? name));
    const obstacle = obstacleTo(host, system, os);
    if (missing.length === 0 || obstacle === undefined) return [];
    return [
      {
        detail: `${missing.join(' and ')} ${missing.length === 1 ? 'is' : 'are'} not installed, and ${obstacle}`,
        next: `install ${missing.length === 1 ? 'it' : 'them'} yourself${commandFor(missing, system)}${host.packages === undefined || system.packageManager === 'none' ? '' : '; or let kbs do it: packages: { source: host }'}`,
      },
    ];
  },
} satisfies HostCheck;

const obstacleTo = ({ packages }: ClusterHost, system: System, os: string): string | undefined => {
  if (system.packageManager === 'none') return `${os} has neither apt nor dnf, by which kbs installs packages`;
  if (packages === 'none') return 'the inventory leaves packages to you: packages: { source: none }';
  if (packages === 'bundle' && system.packageManager !== 'apt') {
    return `${os} has no apt, which the packages of a bundle are for: packages: { source: bundle }`;
  }
  return undefined;
};

/** The program that tells whether a package is there, where it has another name. */
const programs: Readonly<Record<string, string>> = { nftables: 'nft' };

const commandFor = (names: readonly string[], { id = '', like, packageManager }: System): string => {
  const systems = [id, ...like];
  const installer =
    packageManager === 'apt' ? 'apt-get install -y' : systems.flatMap((each) => installers[each] ?? [])[0];
  if (installer === undefined) return ', with the package manager of the host';
  const more = systems.includes('rhel')
    ? ', after dnf install -y epel-release where its own repositories lack one'
    : '';
  return `: ${installer} ${names.join(' ')}${more}`;
};

/** By ID and ID_LIKE of os-release(5). */
const installers: Readonly<Record<string, string>> = {
  fedora: 'dnf install -y',
  rhel: 'dnf install -y',
  centos: 'dnf install -y',
  suse: 'zypper install -y',
  opensuse: 'zypper install -y',
  arch: 'pacman -S --noconfirm',
};
