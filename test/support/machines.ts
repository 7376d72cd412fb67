import type { Facts } from '../../src/hosts/facts/facts.js';

/** What a container of LXC says of itself. */
export const lxc: NonNullable<Facts['machine']> = {
  kind: 'container',
  platform: 'lxc',
  clockSources: [],
  balloon: false,
  nested: false,
  macs: [],
  sshHostKeys: [],
};
