import type { Operation } from '../engine/operation.js';
import { lines, raw, sh, untilTrue } from '../hosts/shell.js';
import type { ClusterHost } from '../inventory/cluster.js';
import type { ApiHost } from './api-host.js';
import { hasLeader, type Member, titleOf } from './etcd-members.js';
import { clientUrl, etcdctl, listMembers, peerUrl } from './etcdctl.js';

/**
 * Removes a host's member from etcd, through members that stay. A leader hands over first, so that no election is waited
 * for; one that does not is no reason to stay: the others elect a leader when it is gone. etcd refuses to remove a member
 * as long as one of the others has not been connected for 5 s, as after a restart: that is tried again.
 */
export const removeMemberOperation = (
  host: ClusterHost,
  apiHost: ApiHost,
  { member, members, staying }: MemberRemoval,
): Operation => {
  const successor = members.find((other) => other !== member && !other.learner && hasLeader(other));
  const handOver =
    member.status && successor
      ? sh`${raw(etcdctl([clientUrl(host)]))} move-leader ${successor.id} >/dev/null 2>&1 || :\n`
      : sh``;
  const endpoints = staying.map(clientUrl);
  return {
    name: 'remove-member',
    target: host.name,
    on: apiHost.at,
    script: lines(
      sh`kbs_members=$(${raw(listMembers(endpoints))})
kbs_member=$(printf '%s\n' "$kbs_members" | grep -F ${`, ${peerUrl(host)}, `}) || exit 0
${raw(handOver)}kbs_removed=no`,
      untilTrue(
        sh`{ kbs_said=$(${raw(etcdctl(endpoints))} member remove "\${kbs_member%%,*}" 2>&1) && kbs_removed=yes; } ||
  ! printf '%s\n' "$kbs_said" | grep -q 'unhealthy cluster'`,
        { seconds: 30, pause: 1, otherwise: sh`break` },
      ),
      sh`[ $kbs_removed = yes ] || { printf '%s\n' "$kbs_said" >&2; exit 1; }`,
    ),
    timeoutSeconds: 90,
    affects: [
      `removes etcd member ${titleOf(member)}`,
      ...(member.status?.leader && successor ? [`hands leadership over to ${titleOf(successor)}`] : []),
    ],
    resume: 'run the same command again',
    failure: {
      what: `etcd does not remove the member of ${host.name}`,
      next: 'see how its members are: kbs etcd status',
    },
  };
};

interface MemberRemoval {
  readonly member: Member;
  /** All members, as they were observed. */
  readonly members: readonly Member[];
  /** The control planes that stay. */
  readonly staying: readonly ClusterHost[];
}

/**
 * Deletes the Node. The pods of a dead one are deleted too, without waiting for a kubelet that is gone, so that their
 * controllers may make them again at once.
 */
export const deleteNodeOperation = ({ name }: ClusterHost, apiHost: ApiHost, dead: boolean): Operation => {
  const kubectl = raw(apiHost.kubectl);
  const pods = dead
    ? sh`
${kubectl} delete pods -A --field-selector ${`spec.nodeName=${name}`} --force --grace-period=0 --wait=false >/dev/null 2>&1 || :`
    : sh``;
  return {
    name: 'delete-node',
    target: name,
    on: apiHost.at,
    script: sh`${kubectl} delete node ${name} --ignore-not-found --timeout=60s${raw(pods)}`,
    timeoutSeconds: 90,
    affects: [`deletes object Node/${name}`, ...(dead ? ['deletes its pods without waiting for them to end'] : [])],
    resume: 'run the same command again',
    failure: { what: `the Node ${name} cannot be deleted`, next: 'see how the API is: kbs status' },
  };
};
