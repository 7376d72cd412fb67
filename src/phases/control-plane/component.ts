import { lines, raw, sh, untilTrue } from '../../hosts/shell.js';
import type { ClusterHost } from '../../inventory/cluster.js';
import type { Resource } from '../../resources/resource.js';
import type { PhaseContext } from '../phase.js';
import type { Component } from './component-type.js';
import { componentUnit, componentUser } from './component-unit.js';
import { staticPodManifest } from './static-pod.js';

/**
 * What must be so before these components run: their directories are theirs, and their ports are free. On a change of
 * `controlPlane` the manifests of the former static pods have been pruned before this, so the kubelet is ending all of them.
 */
export const prerequisites = (
  components: readonly Component[],
  { cluster }: Pick<PhaseContext, 'cluster'>,
): readonly Resource[] =>
  cluster.kubernetes.controlPlane === 'static-pods'
    ? components.flatMap((component) => directories(component, 'root:root'))
    : [
        ...components.map(podHasEnded),
        ...components.flatMap((component) => [
          ...componentUser(component),
          ...directories(component, `${component.name}:${component.name}`),
        ]),
      ];

/** What runs the components: one resource each. */
export const workloads = (
  components: readonly Component[],
  { name }: ClusterHost,
  context: PhaseContext,
): readonly Resource[] =>
  components.map((component) =>
    context.cluster.kubernetes.controlPlane === 'static-pods'
      ? staticPodManifest(component)
      : componentUnit(component, context.facts(name)),
  );

const directories = ({ writes }: Component, owner: string): readonly Resource[] =>
  writes.map((path) => ({ kind: 'directory', path, mode: '0700', owner }));

/**
 * A kubelet ends a pod some time after its manifest is gone, and a unit cannot have the port before. Where no kubelet
 * runs that could end it, the process is asked itself.
 */
const podHasEnded = ({ name, port }: Component): Resource => {
  const listeners = sh`ss -Hltnp ${`sport = :${port}`}`;
  const strangers = sh`for kbs_pid in $(${raw(listeners)} | grep -o 'pid=[0-9]*' | sort -u); do
  grep -q ${`/${name}[.]service`} "/proc/\${kbs_pid#pid=}/cgroup" || echo "\${kbs_pid#pid=}"
done`;
  return {
    kind: 'task',
    name: `${name} has left its pod`,
    check: sh`[ -z "$(${raw(strangers)})" ]`,
    run: lines(
      sh`
kbs_ended() {
  kbs_pids=$(${raw(strangers)})
  [ -n "$kbs_pids" ] || return 0
  systemctl -q is-active kubelet.service || kill $kbs_pids 2>/dev/null || :
  return 1
}`,
      untilTrue(sh`kbs_ended`, {
        seconds: 90,
        otherwise: sh`echo ${`after 90 s port ${port}, which ${name} needs, is still held:`} >&2
    ${raw(listeners)} >&2
    exit 1`,
      }),
    ),
  };
};
