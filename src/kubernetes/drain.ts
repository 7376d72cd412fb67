import type { Operation, Watch } from '../engine/operation.js';
import { Failure } from '../failure.js';
import { query, type RunOptions } from '../hosts/host.js';
import { lastLines } from '../hosts/last-lines.js';
import { asRecords, splitRecords } from '../hosts/records.js';
import { lines, raw, type Script, sh, uptime } from '../hosts/shell.js';
import type { ApiHost } from './api-host.js';
import { type Budget, type Pod, type PodToEvict, podsToEvict } from './evictable-pods.js';

export interface DrainOptions {
  /** Seconds: how long the pods may take to leave. */
  readonly timeoutSeconds: number;
  /** Also evicts pods without a controller, and deletes what is left at the end, past its budgets. */
  readonly force: boolean;
}

/**
 * Drains a node: it takes no new pods, and those that are there are evicted within their budgets. kubectl that gives up
 * early, as when its API server restarts, is run again until the time is over. The node then stays cordoned.
 */
export const drainOperation = (
  node: string,
  apiHost: ApiHost,
  pods: readonly PodToEvict[],
  { timeoutSeconds, force }: DrainOptions,
): Operation => ({
  name: 'drain',
  target: node,
  on: apiHost.at,
  script: drainScript(node, apiHost, { timeoutSeconds, force }),
  watch: watchPods(node, apiHost),
  interruptible: true,
  // With force the pods that are left get as long again.
  timeoutSeconds: force ? 2 * timeoutSeconds : timeoutSeconds,
  affects: pods.map(evictionText),
  resume: `run the same command again, or let it take pods again: kubectl uncordon ${node}`,
  failure: {
    what: `the pods of ${node} did not leave it within ${timeoutSeconds} s`,
    next: `make room for them, or delete them past their budgets with --force; ${node} takes no new pods until: kubectl uncordon ${node}`,
  },
});

const evictionText = ({ pod, unmanaged, blockedBy }: PodToEvict): string =>
  `evicts pod ${pod}${unmanaged ? ', which no controller makes again' : ''}${blockedBy.length > 0 ? `, past ${blockedBy.join(' and ')}` : ''}`;

const drainScript = (node: string, { kubectl }: ApiHost, { timeoutSeconds, force }: DrainOptions): Script => {
  const flags = ['--ignore-daemonsets', '--delete-emptydir-data', ...(force ? ['--force'] : [])];
  const drain = sh`${raw(kubectl)} drain ${node} ${flags}`;
  // To kubectl, a timeout of zero means none.
  const withoutBudgets = sh`${raw(drain)} --disable-eviction --timeout=${timeoutSeconds}s </dev/null >/dev/null && exit 0`;
  return lines(
    sh`kbs_node=$(${raw(kubectl)} get node ${node} -o name --ignore-not-found) || exit 1
[ -n "$kbs_node" ] || exit 0
kbs_deadline=$(( ${raw(uptime)} + ${timeoutSeconds} ))
while :; do
  kbs_left=$(( kbs_deadline - ${raw(uptime)} ))
  [ "$kbs_left" -ge 1 ] || kbs_left=1
  ${raw(drain)} --timeout="$kbs_left"s </dev/null >/dev/null && exit 0
  [ ${raw(uptime)} -lt "$kbs_deadline" ] || break
  sleep 1
done`,
    ...(force ? [withoutBudgets] : []),
    sh`exit 1`,
  );
};

const watchPods = (node: string, apiHost: Pick<ApiHost, 'kubectl'>): Watch => ({
  script: podsScript(node, apiHost),
  parse: (output) => parsePods(output).map(({ waitsUntil }) => waitsUntil),
});

/** The pods that a node would have to lose; undefined where there is no such node. Throws `refused` where the API does not say. */
export const evictablePods = async (
  node: string,
  apiHost: ApiHost,
  limits: RunOptions = {},
): Promise<readonly PodToEvict[] | undefined> => {
  const { code, stdout, stderr } = await apiHost.host.query(
    query(sh`kbs_node=$(${raw(apiHost.kubectl)} get node ${node} -o name --ignore-not-found) || exit 1
[ -n "$kbs_node" ] || exit 0
${raw(podsScript(node, apiHost))}`),
    { timeout: 60_000, ...limits },
  );
  if (code !== 0) {
    throw new Failure('refused', `the API server does not say which pods are on ${node}`, {
      where: { host: apiHost.at.name },
      why: lastLines(stderr, 3),
      next: 'see how it is: kbs status',
    });
  }
  return stdout.trim() === '' ? undefined : parsePods(stdout);
};

const podsScript = (node: string, { kubectl }: Pick<ApiHost, 'kubectl'>): Script =>
  asRecords(
    sh`${raw(kubectl)} get pods -A --field-selector ${`spec.nodeName=${node}`} -o json`,
    sh`${raw(kubectl)} get poddisruptionbudgets -A -o json`,
  );

const parsePods = (output: string): readonly PodToEvict[] => {
  const [pods = '', budgets = ''] = splitRecords(output);
  return podsToEvict(itemsOf<Pod>(pods), itemsOf<Budget>(budgets));
};

/** What the API server gives is what its documentation says. */
const itemsOf = <T>(json: string): readonly T[] => (JSON.parse(json) as { readonly items: readonly T[] }).items;
