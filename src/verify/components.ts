import { splitOnce } from '../hosts/facts/facts.js';
import { type Host, query, type RunOptions } from '../hosts/host.js';
import { lastLines } from '../hosts/last-lines.js';
import { asRecords, splitRecords } from '../hosts/records.js';
import { lines, raw, type Script, sh } from '../hosts/shell.js';
import { type Cluster, type ClusterHost, controlPlanes, type ExternalEtcd, nodes } from '../inventory/cluster.js';
import { parseStatuses } from '../kubernetes/etcd-members.js';
import { clientUrl, etcdctl, externalHealth } from '../kubernetes/etcdctl.js';
import { kubectl, kubectlAt, readyzChecks } from '../kubernetes/kubectl.js';
import type { CheckResult } from './check-result.js';
import { untilProven } from './until-proven.js';

/**
 * Every node Ready, every check of the API server passed, every pod of kube-system ready, and the leases of controller
 * manager and scheduler fresh. Failed checks are repeated until `patience` (milliseconds) is over: a pod may just have
 * been started. Where the API server does not answer, that is the one result; and an external etcd, which may be why.
 */
export const components = (
  cluster: Cluster,
  controlPlane: Host,
  { patience = 0, limits = {} }: { readonly patience?: number; readonly limits?: RunOptions } = {},
): Promise<readonly CheckResult[]> =>
  untilProven({ patience, pause: 500 }, async (elapsed) => {
    const ask = (script: Script) => controlPlane.query(query(script), { timeout: twoMinutes, ...limits });
    const output = await ask(scriptFor(cluster));
    if (output.code === 0) return read(output.stdout, cluster, elapsed());
    const { externalEtcd } = cluster.kubernetes;
    const behind =
      externalEtcd === undefined ? [] : externalEndpoints((await ask(healthOf(externalEtcd))).stdout, externalEtcd);
    const ms = elapsed();
    return [silent(output.stderr, ms), ...behind.map(([name, detail, ok]) => found(name, detail, ok, ms))];
  });

/** The component, what was seen of it, and whether it is healthy. */
type Fact = readonly [string, string, boolean];

const twoMinutes = 120_000;

const silent = (stderr: string, ms: number): CheckResult =>
  found('kube-apiserver', lastLines(stderr, 1).join('') || 'does not answer', false, ms);

const found = (name: string, detail: string, ok: boolean, ms: number): CheckResult => ({
  proof: 'components',
  name,
  ok,
  detail,
  ms,
});

/** Reads the output of the script. */
const read = (output: string, cluster: Cluster, ms: number): readonly CheckResult[] => {
  const [nodeLines = [], podLines = [], apiLines = [], leaseLines = [], etcdLines = []] = splitRecords(output).map(
    (part) => part.trim().split('\n').filter(Boolean),
  );
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
    ...(cluster.kubernetes.externalEtcd === undefined
      ? etcdMembers(etcdLines, cluster)
      : externalEndpoints(etcdLines.join('\n'), cluster.kubernetes.externalEtcd)
    ).map(([name, detail, ok]) => find('components', name, detail, ok)),
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
const etcdMembers = (printed: readonly string[], cluster: Cluster): readonly Fact[] => {
  const hosts = controlPlanes(cluster);
  if (hosts.length < 2) return [];
  const statuses = parseStatuses(printed.find((line) => line.startsWith('[')) ?? '');
  const voters = statuses.filter(({ learner }) => !learner);
  const leader = statuses.find(({ status }) => status.leader)?.endpoint;
  const led = hosts.find((host) => leader === clientUrl(host));
  return [
    ...hosts.map((host): Fact => {
      const line = printed.find((one) => one.startsWith(`${clientUrl(host)} is `)) ?? '';
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

/** As the control plane sees them that is asked; what runs behind them is for others to see to. */
const externalEndpoints = (output: string, { endpoints }: ExternalEtcd): readonly Fact[] => {
  const printed = output.trim().split('\n');
  // Where etcdctl itself fails, it names no endpoint.
  const failed = printed.some((line) => line.startsWith('https://')) ? undefined : printed.at(-1);
  return endpoints.map((endpoint): Fact => {
    const line = printed.find((one) => one.startsWith(`${endpoint} is `)) ?? '';
    const detail = line.replace(/^\S+ is /, '') || (failed ?? 'does not answer');
    return [`external etcd at ${endpoint}`, detail, line.startsWith(`${endpoint} is healthy`)];
  });
};

/** A leader that lives renews its lease every second; fifteen seconds is when another one takes over. */
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

const ready = sh`{.status.conditions[?(@.type=="Ready")].status}`;

/** An API server that hangs is a finding, and is not waited for. */
const patientKubectl = raw(sh`${raw(kubectl)} --request-timeout=15s`);

const scriptFor = (cluster: Cluster): Script =>
  asRecords(
    sh`${patientKubectl} get nodes -o jsonpath='{range .items[*]}{.metadata.name} ${raw(ready)} {.status.conditions[?(@.type=="Ready")].reason}{"\\n"}{end}'`,
    sh`${patientKubectl} -n kube-system get pods -o jsonpath='{range .items[*]}{.metadata.name} ${raw(ready)} {.status.phase} on {.spec.nodeName}{"\\n"}{end}'`,
    readiness(controlPlanes(cluster)),
    sh`date -u +%Y-%m-%dT%H:%M:%SZ
${patientKubectl} -n kube-system get leases -o jsonpath='{range .items[*]}{.metadata.name} {.spec.renewTime} {.spec.holderIdentity}{"\\n"}{end}'`,
    cluster.kubernetes.externalEtcd === undefined
      ? membership(controlPlanes(cluster))
      : healthOf(cluster.kubernetes.externalEtcd),
  );

/** Of several API servers, each is asked at its own address, with its name before every line. */
const readiness = (hosts: readonly ClusterHost[]): Script =>
  hosts.length < 2
    ? readyzChecks(kubectl, 15)
    : lines(...hosts.map((host) => sh`{ ${raw(readyzChecks(kubectlAt(host), 5))}; } | sed ${`s/^/${host.name} /`}`));

const healthOf = ({ endpoints }: ExternalEtcd): Script => sh`${raw(externalHealth(endpoints))} || :`;

const membership = (hosts: readonly ClusterHost[]): Script => {
  if (hosts.length < 2) return sh`:`;
  const etcd = raw(etcdctl(hosts.map(clientUrl)));
  return sh`${etcd} endpoint health 2>&1 || :\n${etcd} -w json endpoint status 2>/dev/null || :`;
};
