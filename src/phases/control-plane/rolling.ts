import { type ClusterHost, controlPlanes, isControlPlane, majority } from '../../inventory/cluster.js';
import { clientUrl, etcdctl, localEndpoint, ofOwnMember } from '../../kubernetes/etcdctl.js';
import { kubectlAt } from '../../kubernetes/kubectl.js';
import type { Gate, PhaseContext, RollingUpdate } from '../phase.js';
import { startedAsWritten } from './static-pod.js';

/** Control planes take turns: one is disturbed only while the others carry the cluster without it. */
export const controlPlaneRolling = (host: ClusterHost, { cluster }: PhaseContext): RollingUpdate | undefined => {
  if (!isControlPlane(host)) return undefined;
  const others = controlPlanes(cluster).filter((other) => other !== host);
  return {
    group: 'control-plane',
    preconditions: others.length === 0 ? [] : [...enoughMembers(others), anotherAnswers(others)],
    healthy: [answers(host), memberHealthy, ...['etcd', 'kube-apiserver'].map(manifestApplied)],
  };
};

const ready = (host: ClusterHost): string => `${kubectlAt(host)} --request-timeout=3s get --raw /readyz`;

const answers = (host: ClusterHost): Gate => ({
  name: 'its API server answers',
  test: `${ready(host)} 2>&1`,
  timeoutSeconds: 180,
});

/** The kubelet restarts a pod some time after its manifest has changed; until then the old one answers. */
const manifestApplied = (name: string): Gate => ({
  name: `${name} runs as written`,
  test: startedAsWritten(name),
  timeoutSeconds: 180,
});

/** A read that the members must agree on. `endpoint health` would also say no to any alarm, as of a full disk. */
const memberHealthy: Gate = {
  name: 'its etcd member is healthy',
  test: ofOwnMember(`${etcdctl([localEndpoint])} get health 2>&1`),
  timeoutSeconds: 180,
};

/**
 * A majority of all members, counted without this one. Of two members one never is a majority, so nothing is asked. A
 * member that names an alarm has committed what it was asked before: it counts.
 */
const enoughMembers = (others: readonly ClusterHost[]): readonly Gate[] => {
  const needed = majority(others.length + 1);
  if (needed > others.length) return [];
  return [
    {
      name: 'etcd keeps its quorum without it',
      test: `kbs_said=$(${etcdctl(others.map(clientUrl))} endpoint health 2>&1) || :
printf '%s\n' "$kbs_said" | grep 'is unhealthy' || :
[ "$(printf '%s\n' "$kbs_said" | grep -cE 'is healthy|Active Alarm')" -ge ${needed} ]`,
      timeoutSeconds: 120,
    },
  ];
};

const anotherAnswers = (others: readonly ClusterHost[]): Gate => ({
  name: 'another API server answers',
  test: `{ ${others.map(ready).join(' || ')}; } 2>&1`,
  timeoutSeconds: 120,
});
