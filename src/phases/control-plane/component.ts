import { lines, raw, sh, untilTrue } from '../../hosts/shell.js';
import type { ClusterHost } from '../../inventory/cluster.js';
import type { FileResource, Resource } from '../../resources/resource.js';
import type { PhaseContext } from '../phase.js';
import { componentUnit, componentUser, unitAlone } from './component-unit.js';
import type { Flags } from './flags.js';
import { manifestAlone, type PodSettings, staticPodManifest } from './static-pod.js';

/** One part of the control plane, whatever starts it: a static pod, or a unit where the hard way was chosen. */
export interface Component {
  /** The program's name, and that of its pod or unit. */
  readonly name: string;
  readonly flags: Flags;
  /** Files that the process reads when it starts. */
  readonly inputs: readonly FileResource[];
  /** Directories that the process writes to. */
  readonly writes: readonly string[];
  /** A TCP port that nobody but this component listens on. */
  readonly port: number;
  readonly pod: PodSettings;
  readonly unit: UnitSettings;
}

/** What only a unit needs to know. */
export interface UnitSettings {
  readonly description: string;
  readonly documentation: string;
  /** Fingerprint of the program. */
  readonly program: string;
  /** `notify`: the program says itself when it is ready (sd_notify(3)). */
  readonly type: 'notify' | 'exec';
  /** Units that come first where they are on the same host. */
  readonly after?: readonly string[];
}

/**
 * What must be so before these components run: nothing of the other style is there any more, and what they write to
 * is theirs. All of them are stopped before the first one is waited for.
 */
export const prerequisites = (
  components: readonly Component[],
  { cluster }: Pick<PhaseContext, 'cluster'>,
): readonly Resource[] =>
  cluster.kubernetes.controlPlane === 'static-pods'
    ? [
        ...components.map(({ name }): Resource => ({ kind: 'absent', resource: unitAlone(name) })),
        ...components.flatMap((component) => [
          ...componentUser(component).map((user): Resource => ({ kind: 'absent', resource: user })),
          ...directories(component, 'root:root'),
        ]),
      ]
    : [
        ...components.map(({ name }): Resource => ({ kind: 'absent', resource: manifestAlone(name) })),
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
