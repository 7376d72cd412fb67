import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { setRoute } from '../../../src/resources/route.js';
import { render } from '../../../src/templates/render.js';
import { lacks } from '../../support/needs.js';

it('a next hop that is down does not prevent other routes, and is still an error', async () => {
  const script = render('routes.sh', { routes: ['echo first', 'false', 'echo third'] });
  const { stdout, exitCode } = await execa('sh', { input: script, reject: false });
  expect(stdout).toBe('first\nthird');
  expect(exitCode).toBe(1);
});

it('routes that can all be set are a success', async () => {
  const script = render('routes.sh', { routes: ['true', 'true'] });
  expect((await execa('sh', { input: script, reject: false })).exitCode).toBe(0);
});

interface KeptFamily {
  /** What the keeper gives ip(8). */
  readonly family: string;
  readonly to: string;
  readonly via: string;
  readonly address: string;
}

const ipv4: KeptFamily = { family: ' -4', to: '10.244.64.0/18', via: '192.0.2.1', address: '192.0.2.10/24' };
const ipv6: KeptFamily = { family: '', to: 'fd00:10:244:40::/58', via: '2001:db8::1', address: '2001:db8::10/64' };

/** A host in a network namespace whose routes are kept; ends with the keeper and all that it started. */
const keptHost = (script: string, { family, to, via, address }: KeptFamily): string => `
mount -t tmpfs none /usr/local/lib
mkdir /usr/local/lib/kbs
cd /usr/local/lib/kbs
cat > routes <<'END'
${render('routes.sh', { routes: ['echo run >> /usr/local/lib/kbs/runs', setRoute({ to, via })] })}END
cat > keep-routes <<'END'
${render('keep-routes.sh', { family })}END
chmod +x routes keep-routes
: > runs
ip link add eth0 type veth peer name switch
ip link set switch up
ip link set eth0 up
address() { ip address $1 ${address} dev eth0; }
address add
there() { ip ${to.includes(':') ? '-6' : '-4'} route show | grep -q '^${to} via ${via} '; }
until_true() { tries=100; until "$@"; do tries=$((tries - 1)); [ $tries -gt 0 ]; sleep 0.1; done; }
./keep-routes 2>/dev/null &
until_true there
${script}
`;

const onKeptHost = (script: string, family = ipv4) =>
  execa('unshare', ['--net', '--mount', '--pid', '--fork', '--kill-child', 'sh', '-eu'], {
    input: keptHost(script, family),
    reject: false,
  });

// Mostly waits for the kernel, each in a namespace of its own.
describe.skipIf(lacks('root', 'iproute2'))('routes that are kept', { concurrent: true }, () => {
  it.each([
    ['the link went down and up', 'ip link set eth0 down; ip link set eth0 up', ipv4],
    ['the address was taken and given again', 'address del; address add', ipv4],
    // A link that goes down loses its addresses of IPv6; what configures the network gives them again.
    ['a link of IPv6 went down and up', 'ip link set eth0 down; ip link set eth0 up; address add', ipv6],
  ])('routes are there again after %s', async (_, loss, family) => {
    const { stdout, stderr } = await onKeptHost(
      `${loss}
there && echo 'nothing was lost'
until_true there
echo 'there again'`,
      family,
    );
    expect(`${stdout}${stderr}`).toBe('there again');
  });

  it('many changes at once lead to few runs of the script', async () => {
    const { stdout, stderr } = await onKeptHost(`
for round in 1 2 3 4 5 6 7 8 9; do printf 'link set eth0 %s\\n' down up; done | ip -batch -
until_true there
sleep 2
wc -l < runs`);
    expect(stderr).toBe('');
    expect(Number(stdout)).toBeLessThan(5);
  });

  it('a route that was deleted by hand stays deleted until kbs apply, also when links of pods come and go', async () => {
    const { stdout, stderr } = await onKeptHost(`
sleep 2 # The kernel tells of a new link with some delay.
ip route del 10.244.64.0/18
ip link add veth0a1b2c3d type veth peer name veth4e5f6a7b
ip link set veth0a1b2c3d up
ip link del veth0a1b2c3d
sleep 2
there || echo away`);
    expect(`${stdout}${stderr}`).toBe('away');
  });
});
