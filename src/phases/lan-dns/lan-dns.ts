import { joined, type Script, sh } from '../../hosts/shell.js';
import { type Cluster, type ClusterHost, dnsServers, isDns } from '../../inventory/cluster.js';
import { dnsMetricsPort } from '../../inventory/metrics.js';
import type { FileResource, Resource } from '../../resources/resource.js';
import { render } from '../../templates/render.js';
import { artifactsOf } from '../artifacts-of.js';
import { fingerprint } from '../fingerprint.js';
import { binaries } from '../node/runtime.js';
import type { Phase, PhaseContext } from '../phase.js';
import { answersFor } from './dns-query.js';
import { zonesOf } from './lan-zones.js';

/**
 * The zone files. Servers reload a changed zone by themselves and answer meanwhile, so they need no rolling update, and one
 * that is down does not delay the others.
 */
export const lanZones: Phase = {
  name: 'lan-zones',
  ensures: "the LAN's zones name every host and the API",
  appliesTo: answersForTheLan,
  resources: (_host, { cluster, startedAt }) => [
    { kind: 'directory', path: zonesFolder, mode: '0755' },
    ...zonesOf(cluster).map(({ name, content }): Resource => {
      return { kind: 'zone', path: `${zonesFolder}/${name}`, content, serial: startedAt, mode: '0644' };
    }),
  ],
};

/** CoreDNS: answers for the zones of the LAN, and passes on every other question. */
export const lanDns: Phase = {
  name: 'lan-dns',
  ensures: "the LAN's DNS server runs",
  appliesTo: answersForTheLan,
  resources(host, context) {
    const configuration = corefile(host, context);
    return [
      ...binaries('/usr/local/bin', ['coredns'], host, context),
      configuration,
      {
        kind: 'unit',
        name: 'coredns.service',
        runs: 'service',
        text: render('lan-dns.service', { corefile: configuration.path }),
        // Another Corefile restarts the servers one at a time; the digest says what a process was started with.
        inputs: [fingerprint([configuration]), artifactsOf(host, context).binary('coredns').sha256],
      },
    ];
  },
  rolling: (host, { cluster }) => {
    const test = ({ address }: ClusterHost) => answersFor(address, cluster.zone ?? '');
    const others = dnsServers(cluster).filter((other) => other.name !== host.name);
    const another = { name: 'another DNS server answers', test: joined(others.map(test), ' || '), timeoutSeconds: 60 };
    return {
      group: 'dns',
      preconditions: others.length === 0 ? [] : [another],
      healthy: [{ name: 'its DNS server answers', test: test(host), timeoutSeconds: 60, log }],
    };
  },
};

/** Such as that another program has its port. */
const log = { of: 'CoreDNS', script: sh`journalctl _SYSTEMD_UNIT=coredns.service -n 6 -o cat --no-pager 2>/dev/null` };

function answersForTheLan(host: ClusterHost, { zone }: Cluster): boolean {
  return isDns(host) && zone !== undefined;
}

const folder = '/etc/coredns';
const zonesFolder = `${folder}/zones`;
const healthPort = 8053;

/** Bound to the host's own addresses: loopback ones may belong to systemd-resolved or another local resolver. */
const corefile = (host: ClusterHost, context: PhaseContext): FileResource => {
  const zones = zonesOf(context.cluster);
  const addresses = addressesOf(host);
  return {
    kind: 'file',
    path: `${folder}/Corefile`,
    mode: '0644',
    content: render('lan-dns.corefile', {
      address: host.address,
      bind: addresses.join(' '),
      folder: zonesFolder,
      health: healthPort,
      metrics: dnsMetricsPort,
      shared: zones.filter(({ shared }) => shared).map(({ name }) => name),
      upstreams: upstreamsOf(host, context).join(' '),
      zones: zones.filter(({ shared }) => !shared).map(({ name }) => name),
    }),
    check: dryStart(addresses),
  };
};

const addressesOf = (host: ClusterHost): readonly string[] => [
  ...new Set([host.address, ...Object.values(host.addresses)]),
];

/**
 * The resolvers for all other names: never one of the LAN's own DNS servers, which would ask each other without end. The
 * limit on concurrent queries stops a loop through a foreign resolver that asks them back.
 */
const upstreamsOf = (host: ClusterHost, { cluster, facts }: PhaseContext): readonly string[] => {
  const own = dnsServers(cluster).flatMap(addressesOf);
  const known = cluster.upstreams.length > 0 ? cluster.upstreams : facts(host.name).nameservers;
  return known.filter((address) => !own.includes(address));
};

/**
 * CoreDNS itself starts with the new file, in a network namespace where these addresses are free, so the running server
 * goes on. The file is good once its health port answers.
 */
const dryStart = (addresses: readonly string[]): Script => sh`kbs_log=$(mktemp)
kbs_code=0
unshare -n bash -c ${String(started)} bash "$1" "$kbs_log" ${addresses.join(' ')} || kbs_code=1
if [ $kbs_code != 0 ]; then tail -n 5 "$kbs_log" >&2; fi
rm -f "$kbs_log"
[ $kbs_code = 0 ]`;

const started = sh`ip link set lo up
for address in $3; do ip address add "$address/32" dev lo; done
/usr/local/bin/coredns -conf "$1" > "$2" 2>&1 &
for try in {1..100}; do
  if ( : < "/dev/tcp/\${3%% *}/${healthPort}" ) 2>/dev/null; then kill $!; wait; exit 0; fi
  kill -0 $! 2>/dev/null || break
  sleep 0.1
done
kill $! 2>/dev/null
exit 1`;
