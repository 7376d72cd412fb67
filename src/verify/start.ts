import { Failure } from '../failure.js';
import { type Host, mutation, query, type RunOptions } from '../hosts/host.js';
import { lastLines } from '../hosts/last-lines.js';
import { lines, raw, type Script, sh, untilTrue } from '../hosts/shell.js';
import { type Cluster, nodes } from '../inventory/cluster.js';
import { kubectl } from '../kubernetes/kubectl.js';
import { applying } from './applying.js';
import type { CheckResult } from './check-result.js';
import { type Probe, probeObjects, probeResults, readProbes } from './probes.js';

export interface RunningProbes {
  /** Those that are ready. */
  readonly probes: readonly Probe[];
  /** Addresses of the Service in front of the pods, one for each family of the cluster. */
  readonly service: readonly string[];
  /** One for each node: whether it has all of its probes. */
  readonly results: readonly CheckResult[];
}

export interface StartOptions {
  readonly namespace: string;
  readonly image: string;
  readonly limits: RunOptions;
}

/**
 * Starts probes on every node and waits, a minute at most, for those on nodes that are Ready. A probe that is missing
 * then is a failed result. Throws where the API server refuses.
 */
export const startProbes = async (
  cluster: Cluster,
  host: Host,
  { namespace, image, limits }: StartOptions,
): Promise<RunningProbes> => {
  const begun = Date.now();
  const bounded = { timeout: twoMinutes, ...limits };
  const { script: apply, payload } = applying(probeObjects(namespace, image, cluster));
  const script = lines(removeOld, apply, waitFor(namespace, cluster));
  const { code, stderr } = await host.mutate(mutation(script, [payload]), bounded);
  if (code !== 0) throw refused(host, namespace, stderr);
  const observed = await host.query(
    query(sh`${raw(kubectl)} -n ${namespace} get service probe -o jsonpath='{.spec.clusterIPs[*]}'
echo
${raw(kubectl)} -n ${namespace} get pods -o json`),
    bounded,
  );
  if (observed.code !== 0) throw refused(host, namespace, observed.stderr);
  const end = observed.stdout.indexOf('\n');
  const pods = observed.stdout.slice(end + 1);
  return {
    probes: readProbes(pods, cluster),
    service: observed.stdout.slice(0, end).split(' '),
    results: probeResults(pods, cluster, Date.now() - begun),
  };
};

/** Half a minute for old probes, a minute for new ones, the rest for the API server's answers. */
const twoMinutes = 120_000;

/**
 * A probe in the host's network keeps its port until it is gone. One on a node that is down stays until the node is
 * back; that is not waited for.
 */
const removeOld = sh`kbs_old=$(${raw(kubectl)} get namespaces -l kbs.dev/verify -o name </dev/null)
[ -z "$kbs_old" ] || ${raw(kubectl)} delete namespace -l kbs.dev/verify --wait=true --timeout=30s </dev/null >&2 || :`;

const condition = raw(sh`{.status.conditions[?(@.type=="Ready")].status}`);

/** A DaemonSet's own rollout status counts nodes that are not Ready, and would wait for them. */
const waitFor = (namespace: string, cluster: Cluster): Script =>
  untilTrue(probesAreReady(namespace, cluster), { seconds: 60, otherwise: sh`break`, pause: 1 });

const probesAreReady = (
  namespace: string,
  cluster: Cluster,
): Script => sh`{ ${raw(kubectl)} --request-timeout=10s get nodes -o jsonpath='{range .items[*]}node {.metadata.name} ${condition}{"\\n"}{end}'
  ${raw(kubectl)} --request-timeout=10s -n ${namespace} get pods -o jsonpath='{range .items[*]}probe {.spec.nodeName} ${condition} {.metadata.labels.kbs\\.dev/probe}{"\\n"}{end}'
} </dev/null | ${raw(allReady(nodes(cluster).map(({ name }) => name)))}`;

/**
 * Shell that reads lines `node NAME READY` and `probe NODE READY NETWORK`, and succeeds once every one of these nodes
 * that is Ready has both probes ready. No Ready node at all is no success: most often nothing could be read.
 */
export const allReady = (names: readonly string[]): Script =>
  sh`awk -v known=${` ${names.join(' ')} `} '$1 == "node" && $3 == "True" && index(known, " " $2 " ") { wanted[$2] }
$1 == "probe" && $3 == "True" { there[$2, $4] }
END { missing = 1; for (name in wanted) { missing = 0; break }
for (name in wanted) if (!((name, "pod") in there) || !((name, "host") in there)) missing = 1
exit missing }'`;

const refused = (host: Host, namespace: string, stderr: string): Failure =>
  new Failure('refused', 'the API server rejects the probes', {
    where: { host: host.name, resource: `namespace ${namespace}` },
    why: lastLines(stderr, 8),
    next: 'see which component fails: kbs status',
  });
