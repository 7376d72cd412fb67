import { Failure, Failures } from '../../failure.js';
import { mutation, query, type RunOptions } from '../../hosts/host.js';
import { lastLines } from '../../hosts/last-lines.js';
import { messageOf } from '../../hosts/message.js';
import type { Pool } from '../../hosts/pool.js';
import { raw, receive, sh, uptime } from '../../hosts/shell.js';
import { type Cluster, type ClusterHost, controlPlanes } from '../../inventory/cluster.js';
import { type Member, membersOf } from '../../kubernetes/etcd-members.js';
import { dataDirectory, uploadedSnapshot as uploaded } from '../../kubernetes/etcdctl.js';
import { parseSnapshotFacts, type SnapshotFacts, stamp } from './snapshot.js';

/** Throws one Failure for each control plane that does not answer. */
export const refuseSilent = async (cluster: Cluster, pool: Pool, limits: RunOptions): Promise<void> => {
  const reasons = await onAll(cluster, (host) =>
    pool
      .host(host)
      .query(query(':'), { timeout: 30_000, ...limits })
      .then(() => undefined, messageOf),
  );
  const silent = reasons.filter(([, reason]) => reason !== undefined);
  if (silent.length === 0) return;
  throw new Failures(
    silent.map(
      ([host, reason]) =>
        new Failure('unreachable', `${host} does not answer`, {
          where: { host },
          why: [reason ?? ''],
          next: 'put a machine in its place, new or old: its etcd data begin anew in any case',
        }),
    ),
  );
};

/**
 * What each control plane sees of etcd: nothing where its own member does not answer. A host that gives no answer at all
 * is thrown: from silence nobody knows that etcd is dead.
 */
export const viewsOf = async (
  cluster: Cluster,
  pool: Pool,
  limits: RunOptions,
): Promise<readonly (readonly Member[])[]> => {
  const views = await onAll(cluster, (host) =>
    membersOf({ host: pool.host(host) }, cluster, limits).catch((error: unknown): readonly Member[] => {
      if (error instanceof Failure && error.code === 'refused') return [];
      throw error;
    }),
  );
  return views.map(([, members]) => members);
};

/** Gives what etcdutl reads in it, where it is there already: on a bare host it comes later. */
export const upload = async (
  cluster: Cluster,
  pool: Pool,
  payload: { readonly file: string; readonly size: number },
  limits: RunOptions,
): Promise<SnapshotFacts | undefined> => {
  const [first] = controlPlanes(cluster);
  if (first === undefined) return undefined;
  const part = `${uploaded}.part`;
  const script = sh`umask 077
mkdir -p /var/lib/kbs
{
  ${raw(receive(payload.size, part))} &&
  if [ -x /usr/local/bin/etcdutl ]; then /usr/local/bin/etcdutl snapshot status ${part} -w json; fi
} || { rm -f ${part}; exit 1; }
mv -f ${part} ${uploaded}`;
  const output = await pool.host(first).mutate(mutation(script, [payload]), limits);
  if (output.code !== 0) {
    throw new Failure('refused', 'the snapshot cannot be used', {
      where: { host: first.name },
      why: lastLines(output.stderr, 4),
      next: 'name another one',
    });
  }
  return output.stdout.trim() === '' ? undefined : parseSnapshotFacts(output.stdout);
};

/** On all control planes at once; whose data lie on a disk of their own keep them there. */
export const putAside = async (
  cluster: Cluster,
  pool: Pool,
  { now, limits }: { readonly now: Date; readonly limits: RunOptions },
): Promise<Readonly<Record<string, string>>> => {
  const outputs = await onAll(cluster, (host) =>
    pool.host(host).mutate(mutation(stopAndPutAside(stamp(now))), { timeout: 180_000, ...limits }),
  );
  const failed = outputs.filter(([, { code }]) => code !== 0);
  if (failed.length > 0) {
    throw new Failures(
      failed.map(
        ([host, { stderr }]) =>
          new Failure('refused', `the data of etcd could not be put aside`, {
            where: { host },
            why: lastLines(stderr, 4),
            next: 'mend the cause on the host, then run the same command again',
          }),
      ),
    );
  }
  return Object.fromEntries(outputs.flatMap(([host, { stdout }]) => (stdout === '' ? [] : [[host, stdout.trim()]])));
};

/**
 * An API server that ends in good order waits for answers of an etcd that has ended too, half a minute long: it holds
 * nothing that could be lost, so it is killed.
 */
const stopAndPutAside = (
  time: string,
): string => sh`rm -f /etc/kubernetes/manifests/kube-apiserver.yaml /etc/kubernetes/manifests/etcd.yaml
kbs_pids() { ss -Hltnp '( sport = :6443 or sport = :2379 )' | grep -oE '"'"$1"'",pid=[0-9]+' | sed 's/.*=//' | sort -u; }
systemctl kill -s KILL kube-apiserver.service 2>/dev/null || :
systemctl stop kube-apiserver.service etcd.service 2>/dev/null || :
kbs_left=$(kbs_pids etcd)
[ -z "$kbs_left" ] || kill $kbs_left 2>/dev/null || :
kbs_deadline=$(( ${raw(uptime)} + 90 ))
while kbs_left=$(kbs_pids '(kube-apiserver|etcd)'); [ -n "$kbs_left" ]; do
  kbs_servers=$(kbs_pids kube-apiserver)
  [ -z "$kbs_servers" ] || kill -KILL $kbs_servers 2>/dev/null || :
  if [ "${raw(uptime)}" -ge $kbs_deadline ]; then
    echo 'they still run:' $kbs_left >&2
    ps -o pid=,comm= -p "$(echo $kbs_left | tr ' ' ,)" >&2 || :
    exit 1
  fi
  sleep 0.2
done
[ -d ${dataDirectory}/member ] || exit 0
kbs_data=$(readlink -f ${dataDirectory})
kbs_aside=$kbs_data.before-restore-${time}
if mountpoint -q "$kbs_data"; then kbs_aside=$kbs_data/before-restore-${time}; fi
mkdir -p -m 0700 "$kbs_aside"
mv -T "$kbs_data/member" "$kbs_aside/member"
echo "$kbs_aside"`;

const onAll = <T>(
  cluster: Cluster,
  ask: (host: ClusterHost) => Promise<T>,
): Promise<readonly (readonly [string, T])[]> =>
  Promise.all(controlPlanes(cluster).map(async (host) => [host.name, await ask(host)] as const));
