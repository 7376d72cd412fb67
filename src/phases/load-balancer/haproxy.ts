import { raw, type Script, sh, untilTrue } from '../../hosts/shell.js';
import {
  apiServerPort,
  balancerHealthPort,
  type Cluster,
  type ClusterHost,
  controlPlanes,
  isControlPlane,
  isMonitored,
} from '../../inventory/cluster.js';
import { forwardsOf } from '../../inventory/lan-services.js';
import type { FileResource, Resource } from '../../resources/resource.js';
import { render } from '../../templates/render.js';
import { fingerprint } from '../fingerprint.js';
import type { PhaseContext } from '../phase.js';
import { answerScript, haproxyAnswer } from './haproxy-answer.js';

/**
 * A unit that starts haproxy, and a task that has it take changed settings: another unit or another CA cuts connections,
 * and nothing else. The CA is no part of the task's digest, because hosts are asked before there are credentials.
 */
export const haproxy = (host: ClusterHost, { cluster, credentials }: PhaseContext): readonly Resource[] => {
  const ca: FileResource = {
    kind: 'file',
    path: '/etc/haproxy/ca.crt',
    mode: '0644',
    content: credentials.clusterCa,
  };
  const digest = fingerprint([settingsOf(host, cluster, '')]);
  return [
    answerScript(),
    ca,
    settingsOf(host, cluster, digest),
    {
      kind: 'unit',
      name: 'haproxy.service',
      runs: 'service',
      text: render('haproxy.service', {}),
      inputs: [fingerprint([ca])],
    },
    { kind: 'task', name: 'haproxy runs with its settings', check: runsWith(digest), run: reload(digest) },
  ];
};

/** With the digest of everything else in the file, by which a process tells what it was started with. */
const settingsOf = (host: ClusterHost, cluster: Cluster, digest: string): FileResource => {
  const forwards = forwardsOf(cluster);
  return {
    kind: 'file',
    path: '/etc/haproxy/haproxy.cfg',
    mode: '0644',
    content: render('haproxy.cfg', {
      bind: bindOf(host, cluster),
      address: host.address,
      digest,
      healthPort: balancerHealthPort,
      // Certificates of API servers hold their host's name, and TLS asks for a server by a name, never by an address.
      servers: controlPlanes(cluster).map(
        ({ name, address }) => `${name} ${address}:${apiServerPort} check-sni ${name} verifyhost ${name}`,
      ),
      forwards: forwards.map(({ targets, ...forward }) => ({
        ...forward,
        targets: targets.map(({ name, address }) => ({ name, address })),
      })),
      forwardConnections: Math.floor((maxConnections * 0.75) / Math.max(forwards.length, 1)),
      maxConnections,
      metrics: isMonitored(cluster),
    }),
    check: sh`/usr/sbin/haproxy -c -q -f "$1"`,
  };
};

/** Of haproxy altogether. */
const maxConnections = 8192;

const runsWith = (digest: string): Script => sh`[ "$(${raw(haproxyAnswer('/settings'))})" = ${digest} ]`;

/** systemd does not hear how a reload ended: where the new process does not start, the former one goes on. */
const reload = (digest: string): Script => sh`${raw(runsWith(digest))} || systemctl reload haproxy.service
${raw(
  untilTrue(runsWith(digest), {
    seconds: 10,
    otherwise: sh`echo 'haproxy does not take its new settings, and goes on with the former ones' >&2
  journalctl -u haproxy.service -n 20 --no-pager >&2 || :
  exit 1`,
  }),
)}`;

/** An API server on the same machine has the port on the host's own address; the virtual one may be elsewhere now. */
const bindOf = (host: ClusterHost, { endpoint: { vip, port } }: Cluster): string =>
  vip !== undefined && isControlPlane(host) && port === apiServerPort ? `${vip}:${port} transparent` : `:${port}`;
