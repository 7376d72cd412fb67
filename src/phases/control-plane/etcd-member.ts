import { lines, raw, type Script, sh, untilTrue } from '../../hosts/shell.js';
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
 * Whether this host bootstraps etcd: the first control plane, where no control plane has data yet. All others join, and
 * so does the first one when it comes back with an empty disk.
 */
export const bootstraps = (host: ClusterHost, { cluster, facts }: Pick<PhaseContext, 'cluster' | 'facts'>): boolean => {
  const all = controlPlanes(cluster);
  return all[0] === host && all.every(({ name }) => !facts(name).etcdMember);
};

/**
 * Gives a member its data, by running etcd until they are there. So the arguments of the etcd that is started afterwards
 * do not depend on the other members, and a member that has lost its data does not start as a cluster of its own.
 */
export const memberData = (host: ClusterHost, context: PhaseContext): TaskResource => ({
  kind: 'task',
  name: 'etcd-member',
  check: sh`[ -d ${dataDirectory}/member/wal ]`,
  run: !bootstraps(host, context)
    ? join(host, context)
    : context.snapshot === undefined
      ? bootstrap(host, context)
      : restored(host, context, context.snapshot),
  undo: removeData,
  keep: 'until-removed',
});

/**
 * The directory itself may have been there before kbs, and then stays; the data in it are deleted, as this machine would
 * otherwise come back as a member that the others have removed. Data from before kbs installed etcd are not deleted.
 */
const removeData = sh`if ${raw(isManaged('/usr/local/bin/etcd'))}; then
  rm -rf --one-file-system ${dataDirectory}/member
fi`;

/**
 * Makes a learner a voter once it has caught up. etcd accepts one learner at a time, so members that join at the same
 * time wait for each other. See https://etcd.io/docs/v3.6/learning/design-learner/
 */
export const promote = (host: ClusterHost, context: PhaseContext): TaskResource => ({
  kind: 'task',
  name: 'etcd-vote',
  check: ofOwnMember(sh`${raw(listMembers([localEndpoint]))} | grep -q ${`, ${host.name}, .*, false$`}`),
  run: lines(
    sh`
kbs_vote() {
  kbs_line=$(${raw(listMembers(othersOf(host, context)))} 2>&1 | grep -F ${`, ${peerUrl(host)}, `}) || :
  case $kbs_line in *', false') return 0 ;; esac
  kbs_said=$(${raw(etcdctl(othersOf(host, context)))} member promote "\${kbs_line%%,*}" 2>&1)
}`,
    untilTrue(sh`kbs_vote`, {
      seconds: 120,
      otherwise: sh`printf 'after 120 s etcd has not made its new member a voter: %s\\n' "$kbs_said" >&2; exit 1`,
    }),
  ),
});

const othersOf = (host: ClusterHost, { cluster }: PhaseContext): readonly string[] =>
  controlPlanes(cluster)
    .filter((other) => other !== host)
    .map(clientUrl);

/** A single member elects itself after one election timeout, which is short while there is no other member. */
const bootstrap = (host: ClusterHost, context: PhaseContext): Script => sh`
if [ -e ${uploadedSnapshot} ]; then
  echo 'a restore was begun here: run kbs etcd restore again, or delete ${uploadedSnapshot} to begin with nothing' >&2
  exit 1
fi
${raw(assertNoOtherCluster(host, context))}
${raw(
  runUntilAnswering(
    host,
    context,
    sh`${[
      `--initial-cluster=${host.name}=${peerUrl(host)}`,
      `--initial-cluster-token=${context.cluster.name}`,
      '--initial-cluster-state=new',
      '--heartbeat-interval=10',
      '--election-timeout=100',
    ]}`,
  ),
)}`;

/**
 * Begins with a snapshot. Its revisions jump ahead and count as compacted, so that clients that watched the lost cluster
 * read everything again; its token is new, so that a member with the old data cannot join it.
 * See https://etcd.io/docs/v3.6/op-guide/recovery/
 */
const restored = (host: ClusterHost, context: PhaseContext, snapshot: string): Script => {
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
  return sh`
${raw(assertNoOtherCluster(host, context))}
rm -rf ${folder}
kbs_said=$(/usr/local/bin/etcdutl snapshot restore ${snapshot} ${flags} 2>&1) || {
  printf '%s\\n' "$kbs_said" | tail -n 4 >&2
  rm -rf ${folder}
  exit 1
}
chown -R --reference=${dataDirectory} ${folder}
mv -T ${folder}/member ${dataDirectory}/member
rm -rf ${folder} ${snapshot}`;
};

/** Refuses to create a second cluster: another control plane may have started since kbs observed the hosts. */
const assertNoOtherCluster = (host: ClusterHost, context: PhaseContext): Script => {
  const others = othersOf(host, context);
  if (others.length === 0) return sh``;
  return sh`if kbs_list=$(${raw(listMembers(others))} 2>/dev/null); then
  printf 'etcd runs on other control planes already:\\n%s\\n' "$kbs_list" >&2
  exit 1
fi`;
};

/** etcd takes one learner at a time, so this waits up to 180 s for each other member that joins before. */
const join = (host: ClusterHost, context: PhaseContext): Script => {
  const others = othersOf(host, context);
  const seconds = 180 * (controlPlanes(context.cluster).length - 1);
  return lines(
    sh`
kbs_join() {
  kbs_list=$(${raw(listMembers(others))} 2>&1) || { kbs_said="no etcd member answers: $kbs_list"; return 1; }
  kbs_mine=$(printf '%s\\n' "$kbs_list" | grep -F ${`, ${peerUrl(host)}, `}) || kbs_mine=
  case $kbs_mine in
    *', started, '*)
      echo ${`etcd still counts on the data that this machine once had: run kbs remove --dead ${host.name} first`} >&2
      exit 1 ;;
    *', unstarted, '*) return 0 ;;
  esac
  if kbs_said=$(${raw(etcdctl(others))} member add ${host.name} --learner --peer-urls=${peerUrl(host)} 2>&1); then
    kbs_join
  else
    kbs_said="etcd accepts no new member: $kbs_said"
    return 1
  fi
}`,
    untilTrue(sh`kbs_join`, { seconds, otherwise: sh`printf ${`after ${seconds} s %s\\n`} "$kbs_said" >&2; exit 1` }),
    sh`kbs_members=$(printf '%s\\n' "$kbs_list" | awk -F ', ' -v me=${host.name} '{ print ($3 == "" ? me : $3) "=" $4 }' | paste -sd , -)`,
    runUntilAnswering(host, context, sh`--initial-cluster="$kbs_members" --initial-cluster-state=existing`),
  );
};

/**
 * Runs etcd with more arguments, and ends it once it answers: its data are then on the disk. It is started again where it
 * ends by itself: it may have asked a member that was just being restarted.
 */
const runUntilAnswering = (host: ClusterHost, context: PhaseContext, more: Script): Script => {
  const { 'initial-cluster-state': _, ...flags } = etcdFlags(host, context);
  return lines(
    sh`
kbs_log=$(mktemp)
kbs_start() {
  /usr/local/bin/etcd ${toArguments(flags)} ${raw(more)} --log-level=warn >"$kbs_log" 2>&1 &
  kbs_etcd=$!
}
kbs_answers() {
  if ${raw(etcdctl([localEndpoint]))} endpoint status >/dev/null 2>&1; then return 0; fi
  if ! kill -0 $kbs_etcd 2>/dev/null; then sleep 0.4; kbs_start; fi
  return 1
}
kbs_start
kbs_code=0`,
    untilTrue(sh`kbs_answers`, { seconds: 60, otherwise: sh`kbs_code=1; break`, pause: 0.1 }),
    sh`kill $kbs_etcd 2>/dev/null || :
wait $kbs_etcd || :
if [ $kbs_code != 0 ]; then tail -n 12 "$kbs_log" >&2; fi
rm -f "$kbs_log"
[ $kbs_code = 0 ]`,
  );
};
