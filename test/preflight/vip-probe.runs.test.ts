import { execa } from 'execa';
import { expect, test } from 'vitest';
import { parseVipProbe, vipProbeScript } from '../../src/preflight/vip-probe.js';
import { lacks } from '../support/needs.js';

/** In a network of its own with one other machine in it; /sys stays that of this machine, as in some containers. */
const probe = async (vip: string, device = 'eth7') => {
  const question = { address: '192.0.2.6', vip, device, routerId: 5 };
  const script = `mount -t tmpfs none /run; mkdir /run/netns
ip netns add other
ip link add eth7 address 02:00:00:00:00:07 type veth peer name eth8 address 02:00:00:00:00:08 netns other
ip addr add 192.0.2.6/24 dev eth7; ip link set eth7 up
ip -n other addr add 192.0.2.5/24 dev eth8; ip -n other link set eth8 up
( ${vipProbeScript(question)}
) || echo "status $?"`;
  const { stdout, stderr } = await execa('unshare', ['--mount', '--net', 'sh', '-eu'], { input: script });
  return { received: parseVipProbe(stdout), stderr };
};

test.skipIf(lacks('root'))('a probe hears the machine that has the address, and none where it is free', async () => {
  expect((await probe('192.0.2.5')).received).toEqual({ owner: '02:00:00:00:00:08', adverts: [] });
  expect((await probe('192.0.2.4')).received).toEqual({ adverts: [] });
});

test.skipIf(lacks('root'))('a probe that cannot listen has heard nothing, and says why', async () => {
  expect(await probe('192.0.2.5', 'eth9')).toEqual({ received: undefined, stderr: 'eth9: No such device' });
});
