import { joined, raw, type Script, sh } from '../../hosts/shell.js';
import { type ClusterHost, controlPlanes, hasEtcdMember, isControlPlane, majority } from '../../inventory/cluster.js';
import { clientUrl, etcdctl, localEndpoint, ofOwnMember } from '../../kubernetes/etcdctl.js';
import { kubectlAt, readyz } from '../../kubernetes/kubectl.js';
import type { Gate, PhaseContext, RollingUpdate } from '../phase.js';
import { startedAsWritten } from './static-pod.js';

/** Control planes are changed one at a time, and only while the others serve the cluster without it. */
export const controlPlaneRolling = (host: ClusterHost, { cluster }: PhaseContext): RollingUpdate | undefined => {
  if (!isControlPlane(host)) return undefined;
  const others = controlPlanes(cluster).filter((other) => other !== host);
  if (!hasEtcdMember(host, cluster)) {
    return {
      group: 'control-plane',
      preconditions: others.length === 0 ? [] : [anotherAnswers(others)],
      healthy: [answers(host), manifestApplied('kube-apiserver')],
    };
  }
  return {
    group: 'control-plane',
    preconditions: others.length === 0 ? [] : [...enoughMembers(others), anotherAnswers(others)],
    healthy: [answers(host), memberHealthy, ...['etcd', 'kube-apiserver'].map(manifestApplied)],
  };
};

const ready = (host: ClusterHost): Script => readyz(kubectlAt(host), 3);

const answers = (host: ClusterHost): Gate => ({
  name: 'its API server answers',
  test: sh`${raw(ready(host))} 2>&1`,
  timeoutSeconds: 180,
});

/** The kubelet restarts a pod some time after its manifest has changed; until then the old one answers. */
const manifestApplied = (name: string): Gate => ({
  name: `${name} runs as written`,
  test: startedAsWritten(name),
  timeoutSeconds: 180,
});

/** A read that needs a quorum. `endpoint health` would also fail for any alarm, such as a full disk. */
const memberHealthy: Gate = {
  name: 'its etcd member is healthy',
  test: ofOwnMember(sh`${raw(etcdctl([localEndpoint]))} get health 2>&1`),
  timeoutSeconds: 180,
};

/**
 * A majority of all members is healthy without this one. One of two members never is a majority, so there is no gate then.
 * A member that reports an alarm answers reads all the same: it counts.
 */
const enoughMembers = (others: readonly ClusterHost[]): readonly Gate[] => {
  const needed = majority(others.length + 1);
  if (needed > others.length) return [];
  return [
    {
      name: 'etcd keeps its quorum without it',
      test: sh`kbs_said=$(${raw(etcdctl(others.map(clientUrl)))} endpoint health 2>&1) || :
printf '%s\n' "$kbs_said" | grep 'is unhealthy' || :
[ "$(printf '%s\n' "$kbs_said" | grep -cE 'is healthy|Active Alarm')" -ge ${needed} ]`,
      timeoutSeconds: 120,
    },
  ];
};

const anotherAnswers = (others: readonly ClusterHost[]): Gate => ({
  name: 'another API server answers',
  test: sh`{ ${raw(joined(others.map(ready), ' || '))}; } 2>&1`,
  timeoutSeconds: 120,
});
