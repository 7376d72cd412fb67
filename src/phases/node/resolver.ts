import { joined, raw, type Script, sh } from '../../hosts/shell.js';
import { type Cluster, type ClusterHost, dnsServers } from '../../inventory/cluster.js';
import type { FileResource, TaskResource } from '../../resources/resource.js';
import { answersFor } from '../lan-dns/dns-query.js';
import type { Phase, PhaseContext } from '../phase.js';

/**
 * The DNS servers of a host: the LAN's, if the inventory sets `hostsUseDns`, through the program that writes
 * /etc/resolv.conf there. Where the inventory sets that no longer, or has no `dns` host any more, pruning restores the
 * former settings. An upstream of the LAN's DNS servers stays as it is: its queries would come back to itself.
 */
export const resolver: Phase = {
  name: 'resolver',
  ensures: "the host asks the LAN's DNS servers",
  appliesTo: (host, cluster) => !isUpstream(host, cluster),
  gates: (host, { cluster }) => {
    if (!asksLan(cluster)) return [];
    const tests = serversFor(host, cluster).map((server) => answersFor(server, cluster.zone ?? ''));
    return [{ name: 'a DNS server of the LAN answers', test: joined(tests, ' || '), timeoutSeconds: 120 }];
  },
  resources: (host, context) => (asksLan(context.cluster) ? settings(host, context) : []),
  prunes: { of: ['resolver'] },
};

const asksLan = (cluster: Cluster): boolean => cluster.hostsUseDns && dnsServers(cluster).length > 0;

const isUpstream = (host: ClusterHost, { upstreams }: Cluster): boolean =>
  [host.address, ...Object.values(host.addresses)].some((address) => upstreams.includes(address));

/** The nearest first: the host itself, then those of its segment. A resolver asks three at most (resolv.conf(5)). */
const serversFor = (host: ClusterHost, cluster: Cluster): readonly string[] => {
  const far = (server: ClusterHost) => (server.name === host.name ? 0 : server.segment === host.segment ? 1 : 2);
  return dnsServers(cluster)
    .toSorted((a, b) => far(a) - far(b))
    .slice(0, 3)
    .map(({ address, addresses }) => addresses[host.segment] ?? address);
};

const settings = (host: ClusterHost, context: PhaseContext): readonly (FileResource | TaskResource)[] => {
  const servers = serversFor(host, context.cluster);
  const { zone = '' } = context.cluster;
  switch (context.facts(host.name).resolver) {
    case 'file':
      return [plainFile(host, context, servers)];
    case 'resolved':
      return dropIn({
        path: '/etc/systemd/resolved.conf.d/50-kbs.conf',
        // `~.` sends every name to these servers, and not only to those that came with a link (resolved.conf(5)).
        content: `[Resolve]\nDNS=${servers.join(' ')}\nDomains=${zone} ~.\n`,
        resolvConf: '/run/systemd/resolve/resolv.conf',
        apply: sh`systemctl restart systemd-resolved`,
        servers,
      });
    case 'NetworkManager':
      return dropIn({
        path: '/etc/NetworkManager/conf.d/50-kbs-dns.conf',
        content: `[global-dns]\nsearches=${zone}\n\n[global-dns-domain-*]\nservers=${servers.join(',')}\n`,
        resolvConf: '/etc/resolv.conf',
        apply: sh`systemctl reload NetworkManager`,
        servers,
      });
    default:
      return [];
  }
};

/**
 * Search domains and options that are there stay. Without a limit of its own the C library asks a server that is down
 * for five seconds, at every name.
 */
const plainFile = (host: ClusterHost, { cluster, facts }: PhaseContext, servers: readonly string[]): FileResource => {
  const { searchDomains, resolverOptions } = facts(host.name);
  const search = new Set([cluster.zone ?? '', ...searchDomains]);
  const has = (name: string) => resolverOptions.some((option) => option.startsWith(`${name}:`));
  const ours = ['timeout:1', 'attempts:2'].filter((option) => !has(option.split(':')[0] ?? ''));
  return {
    kind: 'file',
    path: '/etc/resolv.conf',
    mode: '0644',
    content: [
      "# Written by kbs: the LAN's DNS servers.",
      `search ${[...search].join(' ')}`,
      ...servers.map((server) => `nameserver ${server}`),
      `options ${[...resolverOptions, ...ours].join(' ')}`,
      '',
    ].join('\n'),
  };
};

interface DropIn {
  readonly path: string;
  readonly content: string;
  /** The resolv.conf that the daemon writes. */
  readonly resolvConf: string;
  readonly apply: Script;
  readonly servers: readonly string[];
}

/** A daemon's setting, and that it goes by it: the resolv.conf that it writes testifies. */
const dropIn = ({ path, content, resolvConf, apply, servers }: DropIn): readonly [FileResource, TaskResource] => {
  const first = sh`sed -n 's/^nameserver //p' ${resolvConf} | head -n ${servers.length} | paste -sd ' '`;
  const done = sh`[ -e ${path} ] && [ "$(${raw(first)})" = ${servers.join(' ')} ]`;
  return [
    { kind: 'file', path, mode: '0644', content: `# Written by kbs: the LAN's DNS servers.\n${content}` },
    {
      kind: 'task',
      name: 'resolver',
      check: done,
      run: sh`${raw(apply)}
for kbs_try in $(seq 50); do
  if ${raw(done)}; then exit 0; fi
  sleep 0.2
done
echo ${`${resolvConf} has other name servers first: ${apply} did not take up ${path}`} >&2
exit 1`,
      undo: sh`rm -f ${path}\n${raw(apply)}`,
    },
  ];
};
