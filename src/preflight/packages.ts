import type { Facts } from '../hosts/facts/facts.js';
import { type Cluster, type ClusterHost, isLoadBalancer } from '../inventory/cluster.js';
import { hasHostMetrics } from '../inventory/metrics.js';
import type { FailedCheck } from './check.js';

/** kbs installs packages with apt. On another system its owner does, and kbs goes by the programs that are there. */
export const checkPackages = (host: ClusterHost, { system, os }: Facts, cluster: Cluster): readonly FailedCheck[] => {
  if (system?.apt !== false) return [];
  const missing = programsOf(host, cluster).filter((name) => !system.programs.includes(name));
  if (missing.length === 0) return [];
  const installer = [system.id ?? '', ...system.like].flatMap((id) => installers[id] ?? [])[0];
  return [
    {
      detail: `${missing.join(' and ')} ${missing.length === 1 ? 'is' : 'are'} not installed, and ${os} has no apt, the only way in which kbs installs packages`,
      next: `install ${missing.length === 1 ? 'it' : 'them'} yourself${installer === undefined ? ', with the package manager of the host' : `: ${installer} ${missing.join(' ')}`}`,
    },
  ];
};

const programsOf = (host: ClusterHost, cluster: Cluster): readonly string[] => {
  const { external, vip } = cluster.endpoint;
  if (isLoadBalancer(host) && !external) return vip === undefined ? ['haproxy'] : ['haproxy', 'keepalived'];
  return hasHostMetrics(host, cluster) ? ['haproxy'] : [];
};

/** By ID and ID_LIKE of os-release(5). */
const installers: Readonly<Record<string, string>> = {
  fedora: 'dnf install',
  rhel: 'dnf install',
  centos: 'dnf install',
  suse: 'zypper install',
  opensuse: 'zypper install',
  arch: 'pacman -S',
};
