import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Resource } from '../../src/resources/resource.js';
import { lacks } from '../support/needs.js';
import { createWorld, type World } from './overlay-host.js';
import { apply, differences } from './reconcile.js';

const atBoot = '/lib/systemd/systemd-sysctl';
const forwards: Resource = { kind: 'sysctl', name: 'net.ipv4.ip_forward', value: '1' };

describe.skipIf(lacks('root', 'systemd'))('a sysctl at the next boot', () => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld();
  });
  afterAll(() => world.end());

  it.each(['99-hardening.conf', '99-zz-last.conf', 'hardening.conf', 'sysctl.conf'])(
    'is what kbs wants, whatever %s says',
    async (name) => {
      await world.run(`mkdir -p /etc/sysctl.d; echo 'net.ipv4.ip_forward = 0' > /etc/sysctl.conf
ln -sf ../sysctl.conf /etc/sysctl.d/99-sysctl.conf
echo 'net.ipv4.ip_forward=0' > /etc/sysctl.d/${name}
${atBoot} --prefix net/ipv4/ip_forward`);
      expect(await world.run('cat /proc/sys/net/ipv4/ip_forward')).toBe('0\n');
      await apply(world, [forwards]);
      await world.run(`${atBoot} --prefix net/ipv4/ip_forward`);
      expect(await differences(world, forwards)).toEqual({});
      await world.run(`rm /etc/sysctl.d/${name} /etc/sysctl.d/zz-kbs-*`);
    },
  );
});
