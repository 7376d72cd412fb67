import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { assumedFacts, type Firewall, parseFacts } from '../../src/hosts/facts/facts.js';
import type { ClusterHost } from '../../src/inventory/cluster.js';
import { firewallCheck } from '../../src/preflight/firewall.js';
import { clusterOf, hostOf } from '../support/cluster.js';
import { partOfFacts } from '../support/known-facts.js';
import { lacks } from '../support/needs.js';

const cluster = clusterOf({
  forwards: [{ port: 443, to: ['edge', 'worker-office-00'], targetPort: 8443, proxyProtocol: false }],
});
const [controller, worker, , edge] = cluster.hosts as [ClusterHost, ClusterHost, ClusterHost, ClusterHost];
const balancer = hostOf({ name: 'lb-00', address: '192.168.10.3', segment: 'office', roles: ['load-balancer', 'dns'] });

/** What the check finds on a host with these firewalls, each failure as its detail and what to do next. */
const said = (host: ClusterHost, firewalls: readonly Firewall[]): readonly string[] =>
  firewallCheck.check(host, { ...assumedFacts, firewalls }, cluster).flatMap(({ detail, next }) => [detail, next]);

const firewalls = partOfFacts('ends=', 'for file in /etc/cni/');

/** The same of a machine's own network, where a root shell has set these rules. */
const saidWith = async (rules: string, host: ClusterHost): Promise<readonly string[]> => {
  const { stdout } = await execa('unshare', ['--net', 'sh', '-eu'], { input: `{ ${rules}\n} >&2\n${firewalls}` });
  return said(host, parseFacts(stdout).firewalls);
};

const docker = (iptables: string): string => `
for chain in DOCKER-USER DOCKER-FORWARD DOCKER; do ${iptables} -N $chain; done
${iptables} -P FORWARD DROP
${iptables} -A FORWARD -j DOCKER-USER
${iptables} -A FORWARD -j DOCKER-FORWARD
${iptables} -A DOCKER-FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
${iptables} -A DOCKER-FORWARD -o docker0 -j DOCKER
${iptables} -A DOCKER-FORWARD -i docker0 -j ACCEPT
${iptables} -A DOCKER -d 172.17.0.2/32 ! -i docker0 -o docker0 -p tcp -m tcp --dport 80 -j ACCEPT`;

const nftables = (input: string, forward = 'policy drop'): string => `nft -f - <<'END'
table inet filter {
	set friends {
		type ipv4_addr
		elements = { 192.168.10.20 }
	}
	chain input {
		type filter hook input priority 0; policy drop;
		ct state vmap { established : accept, related : accept, invalid : drop }
		iif "lo" accept
		icmp type echo-request accept
		${input}
	}
	chain forward {
		type filter hook forward priority 0; ${forward};
	}
	chain lan {
		accept
	}
}
END`;

const ufw = (rule: string): string => `
for chain in ufw-before-input ufw-user-input ufw-before-forward ufw-user-forward; do iptables-nft -N $chain; done
iptables-nft -P INPUT DROP
iptables-nft -P FORWARD DROP
iptables-nft -A INPUT -j ufw-before-input
iptables-nft -A FORWARD -j ufw-before-forward
iptables-nft -A ufw-before-input -i lo -j ACCEPT
iptables-nft -A ufw-before-input -j ufw-user-input
iptables-nft -A ufw-before-forward -j ufw-user-forward
iptables-nft -A ufw-user-input -p tcp --dport 22 -j ACCEPT
${rule}`;

const firewalld = (source: string): string => `nft -f - <<'END'
table inet firewalld {
	chain filter_INPUT {
		type filter hook input priority 10; policy accept;
		ct state { established, related } accept
		iifname "lo" accept
		jump filter_INPUT_ZONES
		reject with icmpx admin-prohibited
	}
	chain filter_FORWARD {
		type filter hook forward priority 10; policy accept;
		ct state { established, related } accept
		iifname "lo" accept
		jump filter_FORWARD_ZONES
		reject with icmpx admin-prohibited
	}
	chain filter_INPUT_ZONES {
		${source && `ip saddr ${source} goto filter_IN_trusted`}
		goto filter_IN_public
	}
	chain filter_FORWARD_ZONES {
		${source && `ip saddr ${source} goto filter_FWD_trusted`}
		goto filter_FWD_public
	}
	chain filter_IN_public {
		tcp dport 22 accept
	}
	chain filter_IN_trusted {
		accept
	}
	chain filter_FWD_public {
		oifname "eth0" accept
	}
	chain filter_FWD_trusted {
		accept
	}
}
END`;

/** As images of some providers have it: all policies accept, and the last rule refuses. */
const lastRule = (iptables: string, ...after: readonly string[]): string => `
${iptables} -A INPUT -i lo -j ACCEPT
${iptables} -A INPUT -m state --state RELATED,ESTABLISHED -j ACCEPT
${iptables} -A INPUT -p tcp -m state --state NEW -m tcp --dport 22 -j ACCEPT
${iptables} -A INPUT -j REJECT --reject-with icmp-host-prohibited
${iptables} -A FORWARD -j REJECT --reject-with icmp-host-prohibited
${after.map((rule) => `${iptables} ${rule}`).join('\n')}`;

const pods = 'drops what none of its rules accepts, and none accepts packets of pods, 10.244.0.0/16';

describe.skipIf(lacks('root', 'iptables', 'nftables'))('a real firewall', () => {
  test.each([
    ['iptables-nft', 'ip filter', 'iptables'],
    ['iptables-legacy', 'iptables-legacy filter', 'iptables-legacy'],
  ])("of Docker's by %s cuts pods off", async (tool, table, named) => {
    expect(await saidWith(docker(tool), worker)).toEqual([
      `the chain FORWARD of the table ${table} (Docker) ${pods}`,
      `make this last over reboots: ${named} -I DOCKER-USER -s 10.244.0.0/16 -j ACCEPT && ${named} -I DOCKER-USER -d 10.244.0.0/16 -j ACCEPT; or skip this check: --skip-check firewall`,
    ]);
  });

  test.each(['iptables-nft', 'iptables-legacy'])('of %s that refuses in its last rule is told', async (tool) => {
    const table = tool === 'iptables-nft' ? 'ip filter (iptables)' : 'iptables-legacy filter (iptables-legacy)';
    const input = `the chain INPUT of the table ${table} drops what none of its rules accepts, and none accepts port 10250 of kubelet`;
    const forward = `the chain FORWARD of the table ${table} ${pods}`;
    const details = async (...after: readonly string[]) =>
      (await saidWith(lastRule(tool, ...after), worker)).filter((text) => text.startsWith('the chain'));
    expect(await details()).toEqual([input, forward]);
    // Rules behind the last one are reached by no packet, those before it are.
    expect(await details('-A INPUT -p tcp --dport 10250 -j ACCEPT', '-A FORWARD -s 10.244.0.0/16 -j ACCEPT')).toEqual([
      input,
      forward,
    ]);
    expect(await details('-I INPUT -p tcp --dport 10250 -j ACCEPT', '-I FORWARD -s 10.244.0.0/16 -j ACCEPT')).toEqual(
      [],
    );
  });

  test.each([
    ['none', ':', worker, []],
    [
      'Docker where pods are accepted',
      `${docker('iptables-nft')}\niptables-nft -I DOCKER-USER -s 10.0.0.0/8 -j ACCEPT`,
      worker,
      [],
    ],
    [
      'Docker where all are accepted',
      `${docker('iptables-legacy')}\niptables-legacy -A DOCKER-USER -j ACCEPT`,
      worker,
      [],
    ],
    [
      'Docker where their bridge is accepted',
      `${docker('iptables-nft')}\niptables-nft -A FORWARD -i cni0 -j ACCEPT`,
      worker,
      [],
    ],
    ['Docker on a host that forwards nothing', docker('iptables-nft'), balancer, []],
    ['IPv6 alone', 'ip6tables-nft -P FORWARD DROP', worker, []],
    ['forwarding alone, on a router', nftables('accept'), edge, [expect.stringContaining(pods), expect.anything()]],
    [
      'ssh alone',
      nftables('tcp dport { 22, 80 } accept', 'policy accept'),
      controller,
      [
        'the chain input of the table inet filter (nftables) drops what none of its rules accepts, and none accepts port 6443 of kube-apiserver, port 10250 of kubelet',
        'make this last over reboots: nft insert rule inet filter input ip saddr { 10.244.0.0/16, 192.168.10.0/24, 192.168.20.0/24 } accept; or skip this check: --skip-check firewall',
      ],
    ],
    [
      'the ports of other roles',
      nftables('tcp dport 10250 accept', 'policy accept'),
      balancer,
      [
        expect.stringMatching(/none accepts port 6443 of haproxy, port 53 of coredns, port 443 of haproxy$/),
        expect.anything(),
      ],
    ],
    ['the ports and a forwarded one', nftables('tcp dport { 53, 443, 6443 } accept', 'policy accept'), balancer, []],
    [
      'the port that a forward leads to, on a host that is no node',
      nftables('tcp dport 22 accept', 'policy accept'),
      edge,
      [expect.stringMatching(/none accepts port 8443 of what 443 is forwarded to$/), expect.anything()],
    ],
    [
      'the ports',
      nftables('tcp dport { 22, 6443, 10000-10300 } accept comment "kubernetes"', 'policy accept'),
      controller,
      [],
    ],
    [
      'ssh alone, with a last rule that drops',
      nftables('tcp dport 22 accept\n\t\tcounter drop comment "rest"', 'policy accept').replace(
        'policy drop',
        'policy accept',
      ),
      worker,
      [expect.stringMatching(/^the chain input .* none accepts port 10250 of kubelet$/), expect.anything()],
    ],
    [
      'all but what another rule drops',
      nftables('tcp dport 23 drop', 'policy accept').replace('policy drop', 'policy accept'),
      worker,
      [],
    ],
    ['the segments', nftables('ip saddr { 192.168.0.0/16, 10.244.0.0/16 } accept', 'policy accept'), controller, []],
    ['an interface', nftables('iifname "eth1" accept', 'policy accept'), controller, []],
    ['a chain that accepts all', nftables('jump lan', 'policy accept'), controller, []],
    ['a set, whose elements are not read', nftables('ip saddr @friends accept', 'policy accept'), controller, []],
    [
      'ufw as it comes',
      ufw(''),
      worker,
      [
        'the chain INPUT of the table ip filter (ufw) drops what none of its rules accepts, and none accepts port 10250 of kubelet',
        expect.stringContaining('ufw allow from 10.244.0.0/16 && ufw allow from 192.168.10.0/24 && '),
        `the chain FORWARD of the table ip filter (ufw) ${pods}`,
        expect.stringContaining('ufw route allow from 10.244.0.0/16 && ufw route allow to 10.244.0.0/16'),
      ],
    ],
    [
      'ufw that lets them through',
      ufw(
        'iptables-nft -A ufw-user-input -s 192.168.10.0/24 -j ACCEPT; iptables-nft -A ufw-user-forward -s 10.244.0.0/16 -j ACCEPT',
      ),
      worker,
      [],
    ],
    [
      'firewalld as it comes',
      firewalld(''),
      worker,
      [
        expect.stringContaining('the chain filter_INPUT of the table inet firewalld (firewalld) drops'),
        expect.stringContaining('firewall-cmd --permanent --zone=trusted --add-source=10.244.0.0/16 --add-source='),
        expect.stringContaining('the chain filter_FORWARD of the table inet firewalld (firewalld) drops'),
        expect.anything(),
      ],
    ],
    ['firewalld that lets them through', firewalld('10.244.0.0/16'), worker, []],
  ])('of %s is judged', async (_, rules, host, expected) => {
    expect(await saidWith(rules, host)).toEqual(expected);
  });
});
