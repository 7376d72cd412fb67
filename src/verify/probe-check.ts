import type { Probe } from './probes.js';

/** One check: its name, the probe that runs it, and the request that the probe makes. */
export interface ProbeCheck {
  /** The group it is reported under. */
  readonly proof: Proof;
  readonly name: string;
  readonly source: Probe;
  /** What a failure most often means: a clause. */
  readonly meaning?: string;
  readonly request: {
    readonly kind: 'http' | 'name' | 'address' | 'datagram';
    readonly target: string;
    readonly expect?: string;
    /** The DNS server to ask, `host:port`; absent for that of the source's resolv.conf. */
    readonly server?: string;
    /** How long the probe tries again before the answer counts as no. */
    readonly seconds: number;
    /** For https: the authority that certifies the server, as PEM; absent for the cluster's own. */
    readonly ca?: string;
  };
}

export type Proof =
  | 'pod to pod'
  | 'path MTU'
  | 'Service from pods'
  | 'Service from hosts'
  | 'DNS'
  | 'LAN DNS'
  | 'API endpoint'
  | 'Ingress from LAN';
