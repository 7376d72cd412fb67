import { describe, expect, test } from 'vitest';
import type { Facts, TimeDaemon } from '../../../src/hosts/facts/facts.js';
import { time } from '../../../src/phases/node/time.js';
import type { Resource, TaskResource } from '../../../src/resources/resource.js';
import { clusterOf, hostOf } from '../../support/cluster.js';
import { lxc } from '../../support/machines.js';
import { contextOf } from '../../support/site.js';

const host = hostOf({
  name: 'w',
  address: '192.168.10.11',
  segment: 'office',
  timeServers: ['ntp.lan', '192.168.10.1'],
});

const facts = (timeDaemon: TimeDaemon, more: Partial<Facts> = {}): Partial<Facts> => ({
  system: { timeDaemon, like: [], programs: [], mounts: [], etcdClusters: [], otherClusters: [], zramUnits: [] },
  ...more,
});

const resourcesOf = (seen: Partial<Facts>, of = host): readonly Resource[] =>
  time.resources(of, contextOf(clusterOf(), seen));

const shown = (resources: readonly Resource[]): readonly string[] =>
  resources.map((one) =>
    one.kind === 'file'
      ? `${one.path}: ${String(one.content).split('\n').slice(1).join(' | ')}`
      : `${one.kind} ${(one as TaskResource).name}`,
  );

const chrony = { program: 'chrony', unit: 'chrony.service', settings: '/etc/chrony/chrony.conf' } as const;
const dropIn = expect.stringMatching(
  /^\/etc\/systemd\/system\/\S+\.service\.d\/50-kbs\.conf: \[Service\] \| Environment=KBS_TIME=\w+ \| $/,
);

describe('the time servers of a host', () => {
  test('are asked by systemd-timesyncd', () => {
    expect(shown(resourcesOf(facts({ program: 'timesyncd' })))).toEqual([
      'task systemd-timesyncd.service keeps the clock',
      '/etc/systemd/timesyncd.conf.d/50-kbs.conf: [Time] | NTP=ntp.lan 192.168.10.1 | ',
      dropIn,
      'task systemd-timesyncd.service asks the time servers',
    ]);
  });

  test('are asked by chrony, in the folder that its settings name', () => {
    expect(shown(resourcesOf(facts({ ...chrony, folder: '/etc/chrony/conf.d' })))).toEqual([
      'task chrony.service keeps the clock',
      '/etc/chrony/conf.d/50-kbs.conf: server ntp.lan iburst prefer | server 192.168.10.1 iburst prefer | ',
      dropIn,
      'task chrony.service asks the time servers',
    ]);
  });

  test('are asked by chrony in a folder of kbs, where its settings name none', () => {
    const fedora = { program: 'chrony', unit: 'chronyd.service', settings: '/etc/chrony.conf' } as const;
    expect(shown(resourcesOf(facts(fedora)))).toEqual([
      'task chrony reads /etc/chrony.d',
      'task chronyd.service keeps the clock',
      expect.stringContaining('/etc/chrony.d/50-kbs.conf: server ntp.lan'),
      dropIn,
      'task chronyd.service asks the time servers',
    ]);
  });

  test.each<[string, Partial<Facts>, typeof host]>([
    [
      'the inventory names none',
      facts({ program: 'timesyncd' }),
      hostOf({ name: 'w', address: '192.168.10.11', segment: 'office' }),
    ],
    ['no daemon is there', facts({ program: 'none' }), host],
    ['the host is a container', facts({ program: 'timesyncd' }, { machine: lxc }), host],
  ])('are left alone where %s', (_about, seen, of) => expect(resourcesOf(seen, of)).toEqual([]));

  test('that change start the daemon anew', () => {
    const checkWith = (...timeServers: readonly string[]) =>
      resourcesOf(facts(chrony), { ...host, timeServers })
        .flatMap((one) => (one.kind === 'task' ? [one.check] : []))
        .at(-1);
    expect(checkWith('a.lan')).not.toBe(checkWith('b.lan'));
    expect(checkWith('a.lan')).toBe(checkWith('a.lan'));
  });
});
