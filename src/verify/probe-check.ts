import type { Probe } from './probes.js';

/** One thing to prove: what it is called, who asks, and what the probe is to ask. */
export interface ProbeCheck {
  /** The group it is reported under. */
  readonly proof: Proof;
  readonly name: string;
  readonly asker: Probe;
  readonly ask: {
    readonly kind: 'http' | 'name' | 'address' | 'datagram';
    readonly target: string;
    readonly expect?: string;
    /** For a name or an address: the DNS server to ask, `host:port`; absent for that of the asker's resolv.conf. */
    readonly server?: string;
    /** How long the probe tries again before the answer counts as no. */
    readonly seconds: number;
  };
}

export type Proof =
  | 'pod to pod'
  | 'path MTU'
  | 'Service from pods'
  | 'Service from hosts'
  | 'DNS'
  | 'LAN DNS'
  | 'API endpoint';
