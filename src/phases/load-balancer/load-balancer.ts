import type { Facts } from '../../hosts/facts/facts.js';
import { joined, lines, raw, type Script, sh } from '../../hosts/shell.js';
import { contains, prefixLength } from '../../inventory/addresses.js';
import {
  balancerHealthPort,
  type Cluster,
  type ClusterHost,
  isLoadBalancer,
  loadBalancers,
} from '../../inventory/cluster.js';
import type { FileResource, Resource } from '../../resources/resource.js';
import { render } from '../../templates/render.js';
import { fingerprint } from '../fingerprint.js';
import { packagesFor } from '../packages.js';
import type { Gate, Phase, PhaseContext, RollingUpdate } from '../phase.js';
import { haproxy } from './haproxy.js';

/** haproxy in front of the API servers, and keepalived for the address that the load balancers share. */
export const loadBalancer: Phase = {
  name: 'load-balancer',
  ensures: 'haproxy passes the API on, at an address that survives this machine',
  appliesTo: (host, { endpoint }) => isLoadBalancer(host) && !endpoint.external,
  resources(host, context) {
    const { vip } = context.cluster.endpoint;
    return [
      ...packagesFor('load-balancer', host, context),
      healthScript(),
      ...haproxy(host, context),
      ...(vip === undefined ? [] : keepalived(host, vip, context)),
    ];
  },
  rolling: ({ name }, { cluster }): RollingUpdate => ({
    group: 'load-balancer',
    preconditions: othersServe(loadBalancers(cluster).filter((other) => other.name !== name)),
    healthy: [serves(cluster)],
  }),
};

/**
 * keepalived runs a script only where root alone may write to every folder above it (enable_script_security of
 * keepalived.conf(5)): on machines that began with Debian 9 or earlier, the group staff may write to /usr/local.
 */
const healthPath = '/etc/kbs/haproxy-health';

const healthScript = (): FileResource => ({
  kind: 'file',
  path: healthPath,
  mode: '0755',
  content: render('haproxy-health', { healthPort: balancerHealthPort }),
});

const keepalived = (host: ClusterHost, vip: string, { cluster, facts }: PhaseContext): readonly Resource[] => {
  const settings: FileResource = {
    kind: 'file',
    path: keepalivedPath,
    mode: '0644',
    content: render('keepalived.conf', {
      name: host.name,
      address: host.address,
      device: deviceTo(vip, host.address, facts(host.name)),
      healthScript: healthPath,
      routerId: routerIdOf(cluster.endpoint.routerId, vip),
      vip,
      peers: loadBalancers(cluster)
        .filter(({ name }) => name !== host.name)
        .map(({ address }) => address),
    }),
    check: sh`/usr/sbin/keepalived --vrrp --config-test --use-file "$1"`,
  };
  return [
    settings,
    {
      kind: 'unit',
      name: 'keepalived.service',
      runs: 'service',
      text: render('keepalived.service', {}),
      inputs: [fingerprint([settings])],
    },
  ];
};

export const keepalivedPath = '/etc/keepalived/keepalived.conf';

/** The virtual router id on the wire, 1 to 255: the last part of the address, which is unique in a /24. */
export const routerIdOf = (wanted: number | undefined, vip: string): number =>
  wanted ?? (Number(vip.split('.').at(-1)) || 255);

/**
 * The interface whose own network holds the virtual address. Of several in that network it is the one that has the host's
 * address, from which keepalived sends; that one too where no route tells. Where nothing is known, the kernel's first name.
 */
export const deviceTo = (
  vip: string,
  address: string,
  { routes, network }: Pick<Facts, 'routes' | 'network'>,
): string => {
  const own = network?.links.find(({ addresses }) => addresses.some((each) => each.split('/')[0] === address))?.name;
  const [first, ...rest] = routes
    .filter(({ to, via }) => via === undefined && to !== 'default' && contains(to, vip))
    .toSorted((a, b) => prefixLength(b.to) - prefixLength(a.to));
  const alike = rest.filter(({ to }) => to === first?.to);
  return alike.find(({ device }) => device === own)?.device ?? first?.device ?? own ?? 'eth0';
};

const othersServe = (others: readonly ClusterHost[]): readonly Gate[] =>
  others.length === 0
    ? []
    : [
        {
          name: 'another load balancer serves',
          test: sh`${raw(
            joined(
              others.map(({ address }) => isServing(address)),
              ' || ',
            ),
          )} || {
  echo ${`haproxy reaches an API server on none of ${others.map(({ name }) => name).join(', ')}`}
  exit 1
}`,
          timeoutSeconds: 120,
        },
      ];

const serves = ({ endpoint }: Cluster): Gate => ({
  name: 'load balancer serves',
  test: lines(
    sh`${raw(isServing('127.0.0.1'))} || { echo 'haproxy reaches no API server'; exit 1; }`,
    ...(endpoint.vip === undefined ? [] : [sh`systemctl is-active keepalived.service`]),
  ),
  timeoutSeconds: 60,
});

/** A test: haproxy on that machine reaches an API server. One that is off costs two seconds. */
const isServing = (address: string): Script => sh`timeout 2 ${healthPath} ${address} 2>/dev/null`;
