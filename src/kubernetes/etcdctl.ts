import { quote, raw, type Script, sh } from '../hosts/shell.js';
import type { ClusterHost } from '../inventory/cluster.js';
import { pkiDirectory } from './paths.js';

/** The URL under which etcd members reach this member. */
export const peerUrl = (host: ClusterHost): string => `https://${host.address}:2380`;

/** The URL under which clients reach this member. */
export const clientUrl = (host: ClusterHost): string => `https://${host.address}:2379`;

/** The member on the host itself. */
export const localEndpoint = 'https://127.0.0.1:2379';

export const dataDirectory = '/var/lib/etcd';

/**
 * Where a snapshot waits on the first control plane until etcd has started from it. While the file is there a restore is
 * in progress, and no empty etcd may be bootstrapped.
 */
export const uploadedSnapshot = '/var/lib/kbs/snapshot.db';

/** How far a restore moves etcd's revisions ahead. */
export const restoredRevisions = 1_000_000_000;

/** etcdctl on a control plane with the health check's certificate. Endpoints may come from etcd itself: they are quoted. */
export const etcdctl = (endpoints: readonly string[]): Script => etcdctlAt(quote(endpoints.join(',')));

/** The same for endpoints that the shell computes: one word, such as `"$urls"`. */
export const etcdctlAt = (endpoints: Script): Script =>
  sh`/usr/local/bin/etcdctl --endpoints=${raw(endpoints)} --cacert=${pkiDirectory}/etcd/ca.crt --cert=${pkiDirectory}/etcd/healthcheck-client.crt --key=${pkiDirectory}/etcd/healthcheck-client.key --dial-timeout=2s --command-timeout=5s`;

/**
 * Prints whether each endpoint of an external etcd is healthy, as a control plane sees it with what its API server shows,
 * a line each: `https://etcd-00.lan:2379 is healthy: …`. etcd may have rights of its own: a client without them is answered too.
 */
export const externalHealth = (endpoints: readonly string[]): Script =>
  sh`/usr/local/bin/etcdctl --endpoints=${endpoints.join(',')} --cacert=${pkiDirectory}/etcd/ca.crt --cert=${pkiDirectory}/apiserver-etcd-client.crt --key=${pkiDirectory}/apiserver-etcd-client.key --dial-timeout=2s --command-timeout=5s endpoint health 2>&1`;

/** Runs `question` if a member listens on the host; etcdctl would otherwise retry for seconds. */
export const ofOwnMember = (question: Script): Script =>
  sh`if ss -Hltn 'sport = :2379' | grep -q .; then ${raw(question)}; else echo 'no etcd listens on port 2379'; false; fi`;

/** Prints the members, one a line: `ID, started, NAME, PEERS, CLIENTS, LEARNER`. */
export const listMembers = (endpoints: readonly string[]): Script =>
  sh`${raw(etcdctl(endpoints))} -w simple member list`;
