import type { Firewall, FirewallRule } from '../hosts/facts/facts.js';
import { familyOf, overlaps, parseCidr, parseIpv6Cidr } from '../inventory/addresses.js';
import {
  announcesServices,
  apiServerPort,
  type Cluster,
  type ClusterHost,
  isControlPlane,
  isDns,
  isLoadBalancer,
  isNode,
  isRouter,
} from '../inventory/cluster.js';
import { forwardsOf } from '../inventory/lan-services.js';
import { hasHostMetrics, metricsPorts } from '../inventory/metrics.js';
import { ipv6Half } from '../network/segments-graph.js';
import type { HostCheck } from './check.js';

/**
 * A firewall of the host that cuts off pods, or the ports that other hosts and pods must reach. Each chain decides
 * by itself, so what kube-proxy accepts in its own does not help. An administrator's rules are read only as far as it
 * takes to find one that may let the cluster through: in doubt, the check passes.
 */
export const firewallCheck = {
  name: 'firewall',
  scope: 'host',
  summary: 'no firewall of the host drops packets of pods, or to ports that other hosts must reach',
  fix: 'let the pod network and the segments through, in the way of the firewall that the message names',
  check: (host, { firewalls }, cluster) =>
    firewalls.flatMap((firewall) => {
      const half = firewall.table.startsWith('ip6 ') ? ipv6Half(cluster) : cluster;
      const closed = half === undefined ? [] : closedIn(half, host, firewall);
      if (half === undefined || closed.length === 0) return [];
      const { owner, open } = remedy(firewall, half);
      return [
        {
          detail: `the chain ${firewall.chain} of the table ${firewall.table} (${owner}) drops what none of its rules accepts, and none accepts ${closed.join(', ')}`,
          next: `make this last over reboots: ${open}; or skip this check: --skip-check firewall`,
        },
      ];
    }),
} satisfies HostCheck;

/** What hosts ask of one another, and of a host itself, goes by IPv4. */
const closedIn = (half: Cluster, host: ClusterHost, firewall: Firewall): readonly string[] => {
  if (firewall.hook === 'forward') return closedToPods(host, firewall, half);
  return firewall.table.startsWith('ip6 ') ? [] : closedPorts(host, firewall, half);
};

const closedToPods = (host: ClusterHost, firewall: Firewall, { network }: Cluster): readonly string[] => {
  const open = ({ text }: FirewallRule) =>
    /(^| )(iif|oif|-i|-o)\w* "?cni/.test(text) || names(text, [network.pods]) || namesASet(text);
  if (!(isNode(host) || isRouter(host)) || acceptsAll(firewall) || reached(firewall, jump).some(open)) return [];
  return [`packets of pods, ${network.pods}`];
};

const closedPorts = (host: ClusterHost, firewall: Firewall, cluster: Cluster): readonly string[] => {
  if (acceptsAll(firewall)) return [];
  const { network, endpoint } = cluster;
  const inside = [network.pods, ...network.segments.map(({ cidr }) => cidr)];
  const rules = reached(firewall, jump);
  const wanted: readonly (readonly [when: boolean, port: number, owner: string])[] = [
    [isControlPlane(host), apiServerPort, 'kube-apiserver'],
    [isLoadBalancer(host) && !endpoint.external, endpoint.port, 'haproxy'],
    [isNode(host), 10250, 'kubelet'],
    [isNode(host) && announcesServices(cluster), 7946, 'metallb-speaker'],
    [isDns(host), 53, 'coredns'],
    [hasHostMetrics(host, cluster), metricsPorts.tls, 'kbs-metrics'],
    ...forwardsOf(cluster).flatMap(({ port, targetPort, targets }): typeof wanted => [
      [isLoadBalancer(host), port, 'haproxy'],
      // On a node, kube-proxy or a CNI plugin may send the packets to a pod before the chain sees them.
      [targets.includes(host) && !isNode(host), targetPort, `what ${port} is forwarded to`],
    ]),
  ];
  return wanted
    .filter(([when, port]) => when && !rules.some((rule) => opens(rule, port, inside)))
    .map(([, port, owner]) => `port ${port} of ${owner}`);
};

/** A rule that names ports opens those; one that names none opens all of them, to the cluster or to an interface. */
const opens = ({ text }: FirewallRule, port: number, inside: readonly string[]): boolean => {
  const [, ports] = /\bdports? (?:vmap )?(\{[^}]*\}|\S+)/.exec(text) ?? [];
  if (namesASet(text)) return true;
  if (ports !== undefined) {
    return [...ports.matchAll(/(\d+)(?:[-:](\d+))?/g)].some(
      ([, first, last = first]) => Number(first) <= port && port <= Number(last),
    );
  }
  const toAnInterface = /(^| )(iif|-i)\w* "?(?!lo\b)\w.*(\baccept\b|_trusted\b)/i.test(text);
  return toAnInterface || names(text, inside);
};

/** The elements of a set are not read. */
const namesASet = (text: string): boolean => / @|--match-set /.test(text);

/** Whether an address or a network in the rule shares an address with one of those. */
const names = (text: string, networks: readonly string[]): boolean =>
  [...text.matchAll(/\d+\.\d+\.\d+\.\d+(?:\/\d+)?|[0-9a-f]*:[0-9a-f:]+(?:\/\d+)?/g)]
    .map(([found]) => (found.includes('/') ? found : `${found}/${familyOf(found) === 'ipv6' ? 128 : 32}`))
    .some((found) => isCidr(found) && networks.some((network) => overlaps(network, found)));

const isCidr = (text: string): boolean => (parseCidr(text) ?? parseIpv6Cidr(text)) !== undefined;

/** Whether a verdict without a condition lets through whatever gets there. */
const acceptsAll = (firewall: Firewall): boolean =>
  reached(firewall, bareJump).some(({ text }) => /^(counter packets \d+ bytes \d+ |-j )?accept\b/i.test(text));

const jump = /(?:jump|goto|-j|-g) ([\w.-]+)/g;
const bareJump = /^(?:counter packets \d+ bytes \d+ )?(?:jump|goto|-j|-g) ([\w.-]+)$/g;

/** The rules of the chain, and of those that it leads to by what matches the pattern. */
const reached = ({ chain, rules }: Firewall, leads: RegExp): readonly FirewallRule[] => {
  const chains = new Set([chain]);
  // A set may grow while it is walked.
  for (const from of chains) {
    for (const { text } of rules.filter((rule) => rule.chain === from)) {
      for (const [, to = ''] of text.matchAll(leads)) chains.add(to);
    }
  }
  return rules.filter((rule) => chains.has(rule.chain));
};

/** Which program owns the chain, and the commands that let the cluster through in their way. */
const remedy = ({ table, hook, chain, rules }: Firewall, { network }: Cluster): { owner: string; open: string } => {
  const { pods, segments } = network;
  const all = [pods, ...segments.map(({ cidr }) => cidr)];
  const forward = hook === 'forward';
  const leadsTo = (prefix: string) => rules.some(({ text }) => text.includes(` ${prefix}`));
  if (table === 'inet firewalld') {
    const sources = all.map((cidr) => `--add-source=${cidr}`).join(' ');
    return { owner: 'firewalld', open: `firewall-cmd --permanent --zone=trusted ${sources} && firewall-cmd --reload` };
  }
  if (leadsTo('ufw-')) {
    const allow = forward
      ? [`route allow from ${pods}`, `route allow to ${pods}`]
      : all.map((cidr) => `allow from ${cidr}`);
    return { owner: 'ufw', open: allow.map((rule) => `ufw ${rule}`).join(' && ') };
  }
  if (table === 'ip filter' || table === 'ip6 filter' || table === legacyTable) {
    const tool = table === legacyTable ? 'iptables-legacy' : table === 'ip filter' ? 'iptables' : 'ip6tables';
    const docker = forward && leadsTo('DOCKER');
    const sources = forward ? [`-s ${pods}`, `-d ${pods}`] : all.map((cidr) => `-s ${cidr}`);
    const insert = `${tool} -I ${docker ? 'DOCKER-USER' : chain}`;
    return {
      owner: docker ? 'Docker' : tool,
      open: sources.map((source) => `${insert} ${source} -j ACCEPT`).join(' && '),
    };
  }
  const matches = forward ? [`saddr ${pods}`, `daddr ${pods}`] : [`saddr { ${all.join(', ')} }`];
  const insert = `nft insert rule ${table} ${chain}`;
  return {
    owner: 'nftables',
    open: matches.map((match) => `${insert} ${familyOf(pods) === 'ipv6' ? 'ip6' : 'ip'} ${match} accept`).join(' && '),
  };
};

const legacyTable = 'iptables-legacy filter';
