import { uptime } from '../../hosts/shell.js';
import { type ClusterHost, controlPlanes } from '../../inventory/cluster.js';
import {
  clientUrl,
  dataDirectory,
  etcdctl,
  listMembers,
  localEndpoint,
  ofOwnMember,
  peerUrl,
  restoredRevisions,
  uploadedSnapshot,
} from '../../kubernetes/etcdctl.js';
import { isManaged } from '../../resources/original.js';
import type { TaskResource } from '../../resources/resource.js';
import type { PhaseContext } from '../phase.js';
import { etcdFlags, toArguments } from './flags.js';

/**
 * Whether this host founds etcd: the first control plane, where no control plane has data yet. Everybody else joins,
 * the first one too when it comes back with an empty disk.
 */
export const bootstraps = (host: ClusterHost, { cluster, facts }: Pick<PhaseContext, 'cluster' | 'facts'>): boolean => {
  const all = controlPlanes(cluster);
  return all[0] === host && all.every(({ name }) => !facts(name).etcdMember);
};

/**
 * Gives a member its data, by running etcd until they are there. What starts etcd afterwards needs to know nothing of
 * the cluster's members, so its arguments stay the same whoever comes and goes, and a member that has lost its data
 * does not come up as a cluster of its own.
 */
export const memberData = (host: ClusterHost, context: PhaseContext): TaskResource => ({
  kind: 'task',
  name: 'etcd-member',
  check: `[ -d ${dataDirectory}/member/wal ]`,
  run: !bootstraps(host, context)
    ? join(host, context)
    : context.snapshot === undefined
      ? bootstrap(host, context)
      : restored(host, context),
  undo: removeData,
  keep: 'until-removed',
});

/**
 * Shell: a directory that was there before kbs stays, and with the data in it this machine would come back as a member
 * that the others have removed. Data that were there before kbs brought etcd are not kbs's to delete.
 */
const removeData = `if ${isManaged('/usr/local/bin/etcd')}; then
  rm -rf --one-file-system ${dataDirectory}/member
fi`;

/**
 * A learner counts in no vote until it has caught up. etcd lets one learner in at a time, so members that join at the
 * same moment take turns by themselves. See https://etcd.io/docs/v3.6/learning/design-learner/
 */
export const promote = (host: ClusterHost, context: PhaseContext): TaskResource => ({
  kind: 'task',
  name: 'etcd-vote',
  check: ofOwnMember(`${listMembers([localEndpoint])} | grep -q ', ${host.name}, .*, false$'`),
  run: `
kbs_deadline=$(( ${uptime} + 120 ))
while :; do
  kbs_line=$(${listMembers(othersOf(host, context))} 2>&1 | grep -F ', ${peerUrl(host)}, ') || :
  case $kbs_line in *', false') exit 0 ;; esac
  kbs_said=$(${etcdctl(othersOf(host, context))} member promote "\${kbs_line%%,*}" 2>&1) && exit 0
  if [ "${uptime}" -ge $kbs_deadline ]; then
    printf 'etcd does not let its new member vote: %s\\n' "$kbs_said" >&2
    exit 1
  fi
  sleep 0.2
done`,
});

const othersOf = (host: ClusterHost, { cluster }: PhaseContext): readonly string[] =>
  controlPlanes(cluster)
    .filter((other) => other !== host)
    .map(clientUrl);

/** A single member elects itself after one election timeout: a short one, for as long as nobody else is there. */
const bootstrap = (host: ClusterHost, context: PhaseContext): string => `
if [ -e ${uploadedSnapshot} ]; then
  echo 'a restore was begun here: run kbs etcd restore again, or delete ${uploadedSnapshot} to begin with nothing' >&2
  exit 1
fi
${assertNoOtherCluster(host, context)}
${runUntilAnswering(host, [
  `--initial-cluster=${host.name}=${peerUrl(host)}`,
  `--initial-cluster-token=${context.cluster.name}`,
  '--initial-cluster-state=new',
  '--heartbeat-interval=10',
  '--election-timeout=100',
])}`;

/**
 * Begins with a snapshot. Its revisions jump ahead and count as compacted, so that whoever watched the lost cluster reads
 * everything again; its token is new, so that a member with the old data is a stranger to it.
 * See https://etcd.io/docs/v3.6/op-guide/recovery/
 */
const restored = (host: ClusterHost, context: PhaseContext): string => {
  const folder = `${dataDirectory}/.kbs-restore`;
  const flags = [
    `--name=${host.name}`,
    `--initial-cluster=${host.name}=${peerUrl(host)}`,
    `--initial-advertise-peer-urls=${peerUrl(host)}`,
    `--initial-cluster-token=${context.cluster.name}-${context.startedAt}`,
    `--data-dir=${folder}`,
    `--bump-revision=${restoredRevisions}`,
    '--mark-compacted',
  ];
  return `
${assertNoOtherCluster(host, context)}
rm -rf ${folder}
kbs_said=$(/usr/local/bin/etcdutl snapshot restore ${context.snapshot} ${flags.join(' ')} 2>&1) || {
  printf '%s\\n' "$kbs_said" | tail -n 4 >&2
  rm -rf ${folder}
  exit 1
}
chown -R --reference=${dataDirectory} ${folder}
mv -T ${folder}/member ${dataDirectory}/member
rm -rf ${folder} ${context.snapshot}`;
};

/** The last word against a second cluster: another control plane may have come up since kbs looked. */
const assertNoOtherCluster = (host: ClusterHost, context: PhaseContext): string => {
  const others = othersOf(host, context);
  if (others.length === 0) return '';
  return `if kbs_list=$(${listMembers(others)} 2>/dev/null); then
  printf 'etcd runs on other control planes already:\\n%s\\n' "$kbs_list" >&2
  exit 1
fi`;
};

/** All the others may stand in line before it, each until it votes. */
const join = (host: ClusterHost, context: PhaseContext): string => {
  const others = othersOf(host, context);
  return `
kbs_deadline=$(( ${uptime} + ${180 * (controlPlanes(context.cluster).length - 1)} ))
kbs_wait() { # REASON
  if [ "${uptime}" -ge $kbs_deadline ]; then printf '%s\\n' "$1" >&2; exit 1; fi
  sleep 0.2
}
while :; do
  if ! kbs_list=$(${listMembers(others)} 2>&1); then kbs_wait "no etcd member answers: $kbs_list"; continue; fi
  kbs_mine=$(printf '%s\\n' "$kbs_list" | grep -F ', ${peerUrl(host)}, ') || kbs_mine=
  case $kbs_mine in
    *', started, '*)
      echo 'etcd still counts on the data that this machine once had: run kbs remove --dead ${host.name} first' >&2
      exit 1 ;;
    *', unstarted, '*) break ;;
  esac
  kbs_said=$(${etcdctl(others)} member add ${host.name} --learner --peer-urls=${peerUrl(host)} 2>&1) ||
    kbs_wait "etcd takes in no new member: $kbs_said"
done
kbs_members=$(printf '%s\\n' "$kbs_list" | awk -F ', ' -v me='${host.name}' '{ print ($3 == "" ? me : $3) "=" $4 }' | paste -sd , -)
${runUntilAnswering(host, ['--initial-cluster="$kbs_members"', '--initial-cluster-state=existing'])}`;
};

/**
 * Shell: runs etcd with more arguments, and ends it once it answers: its data are then on the disk. It is started again
 * where it ends by itself: who joins may have asked a member that was just being restarted.
 */
const runUntilAnswering = (host: ClusterHost, more: readonly string[]): string => {
  const { 'initial-cluster-state': _, ...flags } = etcdFlags(host);
  return `
kbs_log=$(mktemp)
kbs_start() {
  /usr/local/bin/etcd ${[...toArguments(flags), ...more].join(' ')} --log-level=warn >"$kbs_log" 2>&1 &
  kbs_etcd=$!
}
kbs_start
kbs_code=1
kbs_end=$(( ${uptime} + 60 ))
while [ "${uptime}" -lt $kbs_end ]; do
  if ${etcdctl([localEndpoint])} endpoint status >/dev/null 2>&1; then kbs_code=0; break; fi
  if ! kill -0 $kbs_etcd 2>/dev/null; then sleep 0.4; kbs_start; fi
  sleep 0.1
done
kill $kbs_etcd 2>/dev/null || :
wait $kbs_etcd || :
if [ $kbs_code != 0 ]; then tail -n 12 "$kbs_log" >&2; fi
rm -f "$kbs_log"
[ $kbs_code = 0 ]`;
};
