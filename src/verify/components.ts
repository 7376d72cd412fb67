import { setTimeout as sleep } from 'node:timers/promises';
import { splitOnce } from '../hosts/facts/facts.js';
import { type Host, query, type RunOptions } from '../hosts/host.js';
import { lastLines } from '../hosts/last-lines.js';
import { type Cluster, type ClusterHost, controlPlanes, nodes } from '../inventory/cluster.js';
import { clientUrl, etcdctl } from '../kubernetes/etcdctl.js';
import { kubectlAt, kubectl as plainKubectl } from '../kubernetes/kubectl.js';
import type { CheckResult } from './check-result.js';

/**
 * Every node Ready, every check of the API server passed, every pod of kube-system ready, and the leases of controller
 * manager and scheduler fresh. Failed checks are repeated until `patience` (milliseconds) is over: a pod may just have
 * been started. Where the API server does not answer, that is the one result.
 */
export const components = async (
  cluster: Cluster,
  controlPlane: Host,
  { patience = 0, limits = {} }: { readonly patience?: number; readonly limits?: RunOptions } = {},
): Promise<readonly CheckResult[]> => {
  const begun = Date.now();
  for (;;) {
    const output = await controlPlane.query(query(scriptFor(cluster)), { timeout: twoMinutes, ...limits });
    const ms = Date.now() - begun;
    const results = output.code === 0 ? read(output.stdout, cluster, ms) : [silent(output.stderr, ms)];
    if (results.every(({ ok }) => ok) || Date.now() - begun >= patience) return results;
    await sleep(500);
  }
};

/** The component, what was seen of it, and whether it is healthy. */
type Fact = readonly [string, string, boolean];

const twoMinutes = 120_000;

const silent = (stderr: string, ms: number): CheckResult => ({
  proof: 'components',
  name: 'kube-apiserver',
  ok: false,
  detail: lastLines(stderr, 1).join('') || 'does not answer',
  ms,
});

/** Reads the output of the script. */
const read = (output: string, cluster: Cluster, ms: number): readonly CheckResult[] => {
  const [nodeLines = [], podLines = [], apiLines = [], leaseLines = [], etcdLines = []] = output
    .split('\x1e')
    .map((part) => part.trim().split('\n').filter(Boolean));
  const find = (proof: string, name: string, detail: string, ok = detail.startsWith('True')): CheckResult => ({
    proof,
    name,
    ok,
    detail,
    ms,
  });
  const states = new Map(nodeLines.map(splitOnce));
  return [
    ...nodes(cluster).map(({ name }) => find('nodes Ready', name, states.get(name) ?? 'is not known to the cluster')),
    ...podLines.map(splitOnce).map(([pod, state]) => find('components', pod, state)),
    ...apiServers(apiLines, cluster).map(([name, detail, ok]) => find('components', name, detail, ok)),
    ...etcdMembers(etcdLines, cluster).map(([name, detail, ok]) => find('components', name, detail, ok)),
    ...leaders(leaseLines, cluster).map(([name, detail, ok]) => find('components', name, detail, ok)),
  ];
};

/** Each control plane's own; the only one needs no name. */
const apiServers = (lines: readonly string[], cluster: Cluster): readonly Fact[] => {
  const hosts = controlPlanes(cluster);
  if (hosts.length < 2) return apiServer(lines);
  return hosts.flatMap(({ name }) => {
    const own = lines.filter((line) => line.startsWith(`${name} `)).map((line) => line.slice(name.length + 1));
    return apiServer(own).map(([what, detail, ok]): Fact => [`${what} on ${name}`, detail, ok]);
  });
};

/** The API server lists its own checks; etcd is one of them. */
const apiServer = (lines: readonly string[]): readonly Fact[] => {
  const bad = lines.filter((line) => line.startsWith('[-]'));
  const passed = lines.some((line) => line === 'readyz check passed');
  const etcd = lines.some((line) => line.startsWith('[+]etcd'));
  return [
    ['kube-apiserver', passed ? 'ready' : bad.join('; ') || lines.join(' ').slice(0, 200) || 'does not answer', passed],
    ['etcd', etcd ? 'answers the API server' : 'does not answer the API server', etcd],
  ];
};

/** Of several members: each one's health, how many there are, and whether one leads. */
const etcdMembers = (lines: readonly string[], cluster: Cluster): readonly Fact[] => {
  const hosts = controlPlanes(cluster);
  if (hosts.length < 2) return [];
  const statuses = statusesIn(lines.find((line) => line.startsWith('[')) ?? '[]');
  const voters = statuses.filter(({ Status }) => Status.isLearner !== true);
  const leader = statuses.find(({ Status }) => Status.leader && Status.leader === Status.header.member_id)?.Endpoint;
  const led = hosts.find((host) => leader === clientUrl(host));
  return [
    ...hosts.map((host): Fact => {
      const line = lines.find((one) => one.startsWith(`${clientUrl(host)} is `)) ?? '';
      const healthy = line.startsWith(`${clientUrl(host)} is healthy`);
      return [`etcd member on ${host.name}`, line.replace(/^\S+ is /, '') || 'does not answer', healthy];
    }),
    [
      'etcd quorum',
      `${voters.length} of ${hosts.length} members answer and vote, ${led ? `led by ${led.name}` : 'without a leader'}`,
      voters.length === hosts.length && led !== undefined,
    ],
  ];
};

interface MemberStatus {
  readonly Endpoint: string;
  readonly Status: {
    readonly leader?: number;
    readonly isLearner?: boolean;
    readonly header: { readonly member_id?: number };
  };
}

/** What `etcdctl endpoint status` says of the members that answer. Its ids are 64 bits long, and only compared. */
const statusesIn = (json: string): readonly MemberStatus[] => JSON.parse(json) as readonly MemberStatus[];

/** A running leader renews its lease every two seconds; after fifteen another one takes over. */
const leaders = (lines: readonly string[], cluster: Cluster): readonly Fact[] => {
  if (controlPlanes(cluster).length === 0) return [];
  const [now = '', ...leases] = lines;
  const byName = new Map(leases.map(splitOnce));
  return ['kube-controller-manager', 'kube-scheduler'].map((name) => {
    const [renewed = '', holder = ''] = (byName.get(name) ?? '').split(' ');
    const age = (Date.parse(now) - Date.parse(renewed)) / 1000;
    return [
      name,
      renewed ? `led by ${holder}, renewed ${age.toFixed(0)} s ago` : 'without a leader',
      age < 15,
    ] as const;
  });
};

const ready = '{.status.conditions[?(@.type=="Ready")].status}';

/** An API server that hangs is reported, not waited for. */
const kubectl = `${plainKubectl} --request-timeout=15s`;

const scriptFor = (cluster: Cluster): string => `
${kubectl} get nodes -o jsonpath='{range .items[*]}{.metadata.name} ${ready} {.status.conditions[?(@.type=="Ready")].reason}{"\\n"}{end}'
printf '\\036'
${kubectl} -n kube-system get pods -o jsonpath='{range .items[*]}{.metadata.name} ${ready} {.status.phase} on {.spec.nodeName}{"\\n"}{end}'
printf '\\036'
${readiness(controlPlanes(cluster))}
printf '\\036'
date -u +%Y-%m-%dT%H:%M:%SZ
${kubectl} -n kube-system get leases -o jsonpath='{range .items[*]}{.metadata.name} {.spec.renewTime} {.spec.holderIdentity}{"\\n"}{end}'
printf '\\036'
${membership(controlPlanes(cluster))}`;

/** Of several API servers, each is asked at its own address, its name before every line. */
const readiness = (hosts: readonly ClusterHost[]): string =>
  hosts.length < 2
    ? `${kubectl} get --raw '/readyz?verbose' 2>&1 || :`
    : hosts
        .map((host) => {
          const own = `${kubectlAt(host)} --request-timeout=5s`;
          return `{ ${own} get --raw '/readyz?verbose' 2>&1 || :; } | sed 's/^/${host.name} /'`;
        })
        .join('\n');

const membership = (hosts: readonly ClusterHost[]): string => {
  if (hosts.length < 2) return ':';
  const etcd = etcdctl(hosts.map(clientUrl));
  return `${etcd} endpoint health 2>&1 || :\n${etcd} -w json endpoint status 2>/dev/null || :`;
};
