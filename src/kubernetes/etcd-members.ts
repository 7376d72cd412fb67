import { Failure } from '../failure.js';
import { query, type RunOptions } from '../hosts/host.js';
import { asRecords, splitRecords } from '../hosts/records.js';
import { raw, sh } from '../hosts/shell.js';
import { type Cluster, type ClusterHost, controlPlanes, majority } from '../inventory/cluster.js';
import type { ApiHost } from './api-host.js';
import { clientUrl, etcdctl, etcdctlAt, localEndpoint, peerUrl } from './etcdctl.js';

/** One member of etcd: what the member list says of it, and what it says itself. */
export interface Member {
  /** In hexadecimal digits, as etcdctl takes it. */
  readonly id: string;
  /** Empty while the member has never been started. */
  readonly name: string;
  readonly peerUrls: readonly string[];
  readonly clientUrls: readonly string[];
  readonly learner: boolean;
  /** Absent where the member does not answer. */
  readonly status?: MemberStatus;
}

export interface MemberStatus {
  readonly version: string;
  /** Bytes on the disk, and those of them in use. */
  readonly size: number;
  readonly sizeInUse: number;
  readonly leader: boolean;
  readonly revision: number;
  readonly raftTerm: number;
  readonly raftIndex: number;
  readonly errors: readonly string[];
}

/**
 * All members, by the list of one of them and the status that each gives. Those that do not answer have no status;
 * without a quorum the list is what that one member last knew. Endpoints come from etcd: they are only ever words. None
 * where the etcd is external.
 */
export const membersOf = async (
  { host }: Pick<ApiHost, 'host'>,
  cluster: Cluster,
  limits: RunOptions = {},
): Promise<readonly Member[]> => {
  if (cluster.kubernetes.externalEtcd !== undefined) return [];
  const local = raw(etcdctl([localEndpoint]));
  const known = controlPlanes(cluster).map(clientUrl).join(',');
  const script = asRecords(
    sh`${local} -w json member list 2>/dev/null || ${local} -w json member list --consistency=s`,
    sh`kbs_urls=$(${local} -w simple member list --consistency=s | awk -F ', ' '$5 != "" { print $5 }' | paste -sd , -)
[ -n "$kbs_urls" ] || kbs_urls=${known}
${raw(etcdctlAt(sh`"$kbs_urls"`))} -w json endpoint status 2>/dev/null || :`,
  );
  const output = await host.query(query(script), { timeout: 60_000, ...limits });
  const [list = '', statuses = ''] = splitRecords(output.stdout);
  if (output.code !== 0 || list.trim() === '') {
    throw new Failure('refused', 'etcd does not list its members', {
      where: { host: host.name },
      why: output.stderr.trim().split('\n').slice(-3),
      next: `ask it there: kbs ssh ${host.name}`,
    });
  }
  return parseMembers(list, statuses);
};

/** Reads what `etcdctl -w json` prints for `member list` and `endpoint status`; the second may be empty. */
export const parseMembers = (list: string, statuses: string): readonly Member[] => {
  const { members = [] } = parse(list) as { members?: readonly RawMember[] };
  const said = parseStatuses(statuses);
  return members.map(({ ID, name = '', peerURLs = [], clientURLs = [], isLearner = false }) => {
    const id = hex(ID);
    const status = said.find((one) => one.id === id)?.status;
    return {
      id,
      name,
      peerUrls: peerURLs,
      clientUrls: clientURLs,
      learner: isLearner,
      ...(status ? { status } : {}),
    };
  });
};

/** What the member behind one endpoint says of itself. */
export interface EndpointStatus {
  /** The client URL under which it was asked. */
  readonly endpoint: string;
  /** In hexadecimal digits, as `Member.id`. */
  readonly id: string;
  readonly learner: boolean;
  readonly status: MemberStatus;
}

/** Reads `etcdctl -w json endpoint status`: the endpoints that answered, none in an empty text. */
export const parseStatuses = (json: string): readonly EndpointStatus[] => {
  const said = json.trim() === '' ? [] : (parse(json) as readonly RawStatus[]);
  return said.flatMap(({ Endpoint: endpoint = '', Status }) =>
    Status?.header?.member_id === undefined
      ? []
      : [{ endpoint, id: hex(Status.header.member_id), learner: Status.isLearner ?? false, status: statusOf(Status) }],
  );
};

interface RawMember {
  readonly ID: string;
  readonly name?: string;
  readonly peerURLs?: readonly string[];
  readonly clientURLs?: readonly string[];
  readonly isLearner?: boolean;
}

interface RawStatus {
  readonly Endpoint?: string;
  readonly Status?: {
    readonly isLearner?: boolean;
    readonly header?: { readonly member_id?: string; readonly revision?: number };
    readonly version?: string;
    readonly dbSize?: number;
    readonly dbSizeInUse?: number;
    readonly leader?: string;
    readonly raftTerm?: number;
    readonly raftIndex?: number;
    readonly errors?: readonly string[];
  };
}

/** Ids have 64 bits, more than a number of JavaScript holds: they are read as texts. */
const parse = (json: string): unknown =>
  JSON.parse(json.replaceAll(/"(ID|member_id|cluster_id|leader)":\s*(\d+)/g, '"$1":"$2"'));

const hex = (id: string): string => BigInt(id).toString(16);

const statusOf = (status: NonNullable<RawStatus['Status']>): MemberStatus => ({
  version: status.version ?? '',
  size: status.dbSize ?? 0,
  sizeInUse: status.dbSizeInUse ?? 0,
  leader: status.leader !== undefined && status.leader === status.header?.member_id,
  revision: status.header?.revision ?? 0,
  raftTerm: status.raftTerm ?? 0,
  raftIndex: status.raftIndex ?? 0,
  errors: status.errors ?? [],
});

/** Whether enough of the voters answer, and agree with a leader, for anything to be written. */
export const hasQuorum = (members: readonly Member[]): boolean => {
  const voters = members.filter(({ learner }) => !learner);
  return voters.length > 0 && voters.filter(hasLeader).length >= majority(voters.length);
};

/**
 * The revision of a running etcd, by what several members report: one that is partitioned from the others reports no quorum
 * where there is one. Undefined where no member reports one.
 */
export const currentRevision = (views: readonly (readonly Member[])[]): number | undefined => {
  const withQuorum = views.filter(hasQuorum).flat();
  return withQuorum.length === 0 ? undefined : Math.max(...withQuorum.map(({ status }) => status?.revision ?? 0));
};

/** Whether it answers and has a leader. An alarm does not count: every member reports every alarm of the cluster. */
export const hasLeader = ({ status }: Member): boolean =>
  status !== undefined && !status.errors.some((error) => error.includes('no leader'));

/** Whether etcd takes no more writes, since the data of a member have reached their quota. */
export const isFull = ({ status }: Member): boolean => status?.errors.some(saysFull) ?? false;

/** Whether it answers without an error, or with no error but that it is full, which defragmentation repairs. */
export const canBeDefragmented = ({ status }: Member): boolean => status?.errors.every(saysFull) ?? false;

const saysFull = (error: string): boolean => error.includes('alarm:NOSPACE');

/** The member of a host; its peer address is what etcd knows it by before it has ever started. */
export const memberAt = (members: readonly Member[], host: ClusterHost): Member | undefined =>
  members.find(({ peerUrls }) => peerUrls.includes(peerUrl(host)));

/** A member as people know it. */
export const titleOf = ({ name, id, peerUrls }: Member): string => name || peerUrls[0] || id;
