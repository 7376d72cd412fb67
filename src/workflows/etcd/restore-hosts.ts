import type { Operation } from '../../engine/operation.js';
import { Failure, Failures } from '../../failure.js';
import { query, type RunOptions } from '../../hosts/host.js';
import { messageOf } from '../../hosts/message.js';
import type { Pool } from '../../hosts/pool.js';
import { raw, receive, type Script, sh, untilTrue } from '../../hosts/shell.js';
import { type Cluster, type ClusterHost, controlPlanes } from '../../inventory/cluster.js';
import { type Member, membersOf } from '../../kubernetes/etcd-members.js';
import { dataDirectory, uploadedSnapshot } from '../../kubernetes/etcdctl.js';
import { stamp } from './snapshot.js';
import type { SnapshotFile } from './snapshot-file.js';

/** Holds the digest of the snapshot on each control plane while a restore is in progress. */
const restoreMark = '/var/lib/kbs/restore';

/** What one control plane says of etcd. */
export interface EtcdView {
  readonly host: string;
  /** Empty where no etcd runs. */
  readonly members: readonly Member[];
  /** Why it cannot be told whether etcd runs. */
  readonly unknown?: string;
  /** The digest of the snapshot that a restore in progress has begun with on this host. */
  readonly started?: string;
}

/**
 * What each control plane sees of etcd. That none runs needs evidence: nothing listens on its ports. A member that
 * listens and does not answer, as with certificates that have expired, may hold living data. Throws one Failure for each
 * control plane that cannot be reached.
 */
export const etcdViews = async (cluster: Cluster, pool: Pool, limits: RunOptions): Promise<readonly EtcdView[]> => {
  const asked = await Promise.all(
    controlPlanes(cluster).map(async (host): Promise<EtcdView | Failure> => {
      try {
        return await etcdView(host, cluster, pool, limits);
      } catch (error) {
        if (error instanceof Failure && error.code === 'unreachable') return notAnswering(host, error);
        throw error;
      }
    }),
  );
  const failures = asked.filter((each) => each instanceof Failure);
  if (failures.length > 0) throw new Failures(failures);
  return asked.flatMap((each) => (each instanceof Failure ? [] : [each]));
};

const etcdView = async (host: ClusterHost, cluster: Cluster, pool: Pool, limits: RunOptions): Promise<EtcdView> => {
  const { name } = host;
  const { stdout } = await pool.host(host).query(
    query(sh`if ! kbs_sockets=$(ss -Hltn '( sport = :2379 or sport = :2380 )'); then echo unknown
elif [ -n "$kbs_sockets" ]; then echo runs; else echo stopped; fi
if [ -e ${restoreMark} ] && [ ! -e ${uploadedSnapshot} ]; then cat ${restoreMark}; fi`),
    { timeout: 30_000, ...limits },
  );
  const [state, started] = stdout.split('\n');
  const known = { host: name, ...(started ? { started } : {}) };
  if (state === 'stopped') return { ...known, members: [] };
  if (state !== 'runs') return { ...known, members: [], unknown: 'ss does not say whether etcd listens' };
  try {
    return { ...known, members: await membersOf({ host: pool.host(host) }, cluster, limits) };
  } catch (error) {
    if (!(error instanceof Failure && error.code === 'refused')) throw error;
    return { ...known, members: [], unknown: [error.message, ...error.why].join(': ') };
  }
};

const notAnswering = ({ name }: ClusterHost, cause: Failure): Failure =>
  new Failure('unreachable', `${name} does not answer`, {
    where: { host: name },
    why: [messageOf(cause)],
    next: 'put a machine in its place, new or old: its etcd data are replaced in any case',
    cause,
  });

/** Copies the snapshot to the first control plane. etcdutl reads it there if it is installed: on a bare host it comes later. */
export const uploadOperation = (host: ClusterHost, file: string, { size, sha256 }: SnapshotFile): Operation => {
  const part = `${uploadedSnapshot}.part`;
  return {
    name: 'snapshot',
    target: host.name,
    on: host,
    script: sh`umask 077
mkdir -p /var/lib/kbs
{
  ${raw(receive(size, part))} &&
  if [ -x /usr/local/bin/etcdutl ]; then /usr/local/bin/etcdutl snapshot status ${part} -w json >/dev/null; fi
} || { rm -f ${part}; exit 1; }
mv -f ${part} ${uploadedSnapshot}`,
    payloads: [{ file, size }],
    // At 100 kB a second; --timeout may allow more.
    timeoutSeconds: Math.max(1800, Math.ceil(size / 100_000)),
    affects: [`copies ${file} (sha256 ${sha256.slice(0, 12)}…) to ${uploadedSnapshot}`],
    resume: `run the same command again, or give up: delete ${uploadedSnapshot}`,
    failure: { what: 'the snapshot cannot be used', next: 'name another one' },
  };
};

/** Stops the API server and etcd of a control plane, and keeps the data that etcd has. */
export const stopEtcdOperation = (host: ClusterHost, { sha256 }: SnapshotFile, now: Date): Operation => ({
  name: 'stop-etcd',
  target: host.name,
  on: host,
  script: stopScript(stamp(now), sha256),
  timeoutSeconds: 180,
  affects: [
    'stops kube-apiserver and etcd',
    `moves the data of etcd to ${dataDirectory}.before-restore-${stamp(now)}, or into such a folder on its own disk`,
  ],
  resume: 'run the same command again',
  failure: {
    what: 'etcd could not be stopped and its data kept',
    next: 'remove the cause on the host, then run the same command again',
  },
});

/**
 * An API server that ends in good order waits half a minute for answers of an etcd that has ended too: it holds nothing
 * that could be lost, so it is killed.
 */
const stopScript = (
  time: string,
  sha256: string,
): Script => sh`rm -f /etc/kubernetes/manifests/kube-apiserver.yaml /etc/kubernetes/manifests/etcd.yaml
kbs_pids() { ss -Hltnp '( sport = :6443 or sport = :2379 )' | grep -oE '"'"$1"'",pid=[0-9]+' | sed 's/.*=//' | sort -u; }
systemctl kill -s KILL kube-apiserver.service 2>/dev/null || :
systemctl stop kube-apiserver.service etcd.service 2>/dev/null || :
kbs_left=$(kbs_pids etcd)
[ -z "$kbs_left" ] || kill $kbs_left 2>/dev/null || :
kbs_ended() {
  kbs_left=$(kbs_pids '(kube-apiserver|etcd)')
  [ -n "$kbs_left" ] || return 0
  kbs_servers=$(kbs_pids kube-apiserver)
  [ -z "$kbs_servers" ] || kill -KILL $kbs_servers 2>/dev/null || :
  return 1
}
${raw(untilTrue(sh`kbs_ended`, { seconds: 90, otherwise: stillRunning }))}
if [ -d ${dataDirectory}/member ]; then
  kbs_data=$(readlink -f ${dataDirectory})
  kbs_kept=$kbs_data.before-restore-${time}
  if mountpoint -q "$kbs_data"; then kbs_kept=$kbs_data/before-restore-${time}; fi
  mkdir -p -m 0700 "$kbs_kept"
  mv -T "$kbs_data/member" "$kbs_kept/member"
fi
mkdir -p /var/lib/kbs
echo ${sha256} > ${restoreMark}`;

const stillRunning = sh`echo 'they still run:' $kbs_left >&2
ps -o pid=,comm= -p "$(echo $kbs_left | tr ' ' ,)" >&2 || :
exit 1`;

/** Ends a restore on a control plane: from now on its etcd is like any other. */
export const finishOperation = (host: ClusterHost): Operation => ({
  name: 'finish-restore',
  target: host.name,
  on: host,
  script: sh`rm -f ${restoreMark}`,
  timeoutSeconds: 30,
  affects: [`removes ${restoreMark}`],
  resume: 'run the same command again',
  failure: { what: `${restoreMark} could not be removed`, next: 'remove it by hand' },
});
