import type { FileResource } from '../../resources/resource.js';
import type { Flags } from './flags.js';

/** One part of the control plane, a static pod, or a unit in the style `systemd`. */
export interface Component {
  /** The program's name, and that of its pod or unit. */
  readonly name: string;
  readonly flags: Flags;
  /** Files that the process reads when it starts. */
  readonly inputs: readonly FileResource[];
  /** Directories that the process writes to. */
  readonly writes: readonly string[];
  /** A TCP port that only this component listens on; of several, the one that it closes last when it stops. */
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

/** What only a static pod needs to know. */
export interface PodSettings {
  readonly image: string;
  /** What kubeadm looks for to find the addresses of a running cluster. */
  readonly annotations?: Readonly<Record<string, string>>;
  readonly mounts: readonly Mount[];
  readonly probes: Readonly<Record<'livenessProbe' | 'readinessProbe' | 'startupProbe', object>>;
  /** Requested CPU, as a quantity. */
  readonly cpu: string;
}

export interface Mount {
  readonly name: string;
  readonly path: string;
  readonly type: 'File' | 'DirectoryOrCreate';
  readonly writable?: boolean;
}
