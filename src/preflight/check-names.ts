/** The checks of preflight by name, in the order of the table in index.ts: what `--skip-check` takes. */
export const checkNames = [
  'root',
  'systemd',
  'architecture',
  'address',
  'cgroup',
  'swap',
  'kernel-features',
  'tools',
  'nftables',
  'ports',
  'firewall',
  'foreign-cni',
  'foreign-unit',
  'dns-port',
  'resolver',
  'vip',
  'default-route',
  'network-overlap',
  'machine-id',
  'clock',
  'etcd-data',
  'authority',
  'router-id',
] as const;

export type CheckName = (typeof checkNames)[number];
