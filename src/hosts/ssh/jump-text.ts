import type { SshLogin, SshSettings } from '../../inventory/cluster.js';

/** Where a host is, for sentences: `10.0.0.5:22 through the jump host ops@bastion:22`. */
export const placeOf = ({ address, port, jump = [] }: SshSettings): string =>
  [`${address}:${port}`, ...jump.slice(-1).map((login) => `the jump host ${loginText(login)}`)].join(' through ');

/** The jump hosts as `ssh -J` takes them. */
export const jumpText = (jump: readonly SshLogin[]): string => jump.map(loginText).join(',');

const loginText = ({ user, address, port }: SshLogin): string => `${user}@${address}:${port}`;
