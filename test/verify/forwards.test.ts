import { describe, expect, it } from 'vitest';
import { Failure } from '../../src/failure.js';
import type { Host } from '../../src/hosts/host.js';
import type { ClusterHost } from '../../src/inventory/cluster.js';
import { readForwards } from '../../src/verify/forward-states.js';
import { verifyForwards } from '../../src/verify/forwards.js';
import { clusterOf, hostOf } from '../support/cluster.js';
import { scriptedHost } from '../support/scripted-host.js';

const balancers = ['lb-00', 'lb-01'].map((name, n) =>
  hostOf({ name, address: `192.168.10.${3 + n}`, segment: 'office', roles: ['load-balancer'] }),
);
const cluster = clusterOf({
  endpoint: { host: '192.168.10.5', vip: '192.168.10.5', address: '192.168.10.5', port: 6443 },
  hosts: [...balancers, ...clusterOf().hosts],
  forwards: [
    { port: 443, to: ['workers'], targetPort: 30443, proxyProtocol: true },
    { port: 80, to: ['worker-rack-00'], targetPort: 80, proxyProtocol: false },
  ],
});

/** Hosts that print this, by name; the others do not answer. */
const hosts = (said: Readonly<Record<string, string>>): ((host: ClusterHost) => Host) => {
  return ({ name }) =>
    scriptedHost(name, (_, print) => {
      const text = said[name];
      if (text === undefined) throw new Failure('unreachable', `${name} does not answer`);
      print(text);
      return {};
    });
};

const proved = async (said: Readonly<Record<string, string>>, of = cluster): Promise<readonly string[]> =>
  (await verifyForwards(of, hosts(said), { patience: 0, limits: {} })).map(
    ({ name, ok, detail }) => `${ok ? '✔' : '✘'} ${name}: ${detail}`,
  );

const all = 'forward 443 worker-office-00=1 worker-rack-00=1\nforward 80 worker-rack-00=1\n';
const open = '443 open\n80 open\n';

describe('the proof of forwarded ports', () => {
  it('is that each load balancer has a target, and each segment finds the ports open', async () => {
    expect(await proved({ 'lb-00': all, 'lb-01': all, 'controller-00': open, 'worker-rack-00': open })).toEqual([
      '✔ lb-00: 443 → workers:30443: 2 of 2 targets answer',
      '✔ lb-00: 80 → worker-rack-00:80: the one target answers',
      '✔ lb-01: 443 → workers:30443: 2 of 2 targets answer',
      '✔ lb-01: 80 → worker-rack-00:80: the one target answers',
      '✔ controller-00 (office) → 192.168.10.5:443: open',
      '✔ controller-00 (office) → 192.168.10.5:80: open',
      '✔ worker-rack-00 (rack) → 192.168.10.5:443: open',
      '✔ worker-rack-00 (rack) → 192.168.10.5:80: open',
    ]);
  });

  it('says which targets are down, fails where all are, and cannot tell what was not answered', async () => {
    expect(
      await proved({
        'lb-00': 'forward 443 worker-office-00=1 worker-rack-00=0\nforward 80 worker-rack-00=0\n',
        'lb-01': 'forward 443 \nforward 80 worker-rack-00=1\n',
        'worker-office-00': '443 open\n80 Connection refused\n',
      }),
    ).toEqual([
      '✔ lb-00: 443 → workers:30443: 1 of 2 targets answer; down: worker-rack-00',
      '✘ lb-00: 80 → worker-rack-00:80: no target answers: worker-rack-00',
      '✘ lb-01: 443 → workers:30443: cannot tell: haproxy does not know this port, or does not answer; try kbs apply',
      '✔ lb-01: 80 → worker-rack-00:80: the one target answers',
      '✔ worker-office-00 (office) → 192.168.10.5:443: open',
      '✘ worker-office-00 (office) → 192.168.10.5:80: Connection refused',
      '✘ rack → 192.168.10.5: cannot tell, no host answers: worker-rack-00 does not answer',
    ]);
  });

  it('cannot tell what a load balancer that does not answer forwards', async () => {
    expect((await proved({ 'lb-00': all, 'worker-office-00': open, 'worker-rack-00': open })).slice(2, 3)).toEqual([
      '✘ lb-01: cannot tell which targets answer: lb-01 does not answer',
    ]);
  });

  it('is nothing where no port is forwarded', async () => {
    expect(await proved({}, clusterOf())).toEqual([]);
  });
});

it('states are found among other lines', () => {
  expect(readForwards(`default via 192.168.10.1\n${all}kind virtual\n`, cluster).map(({ ok }) => ok)).toEqual([
    true,
    true,
  ]);
});
