import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { parseTimeDaemon, type TimeDaemon, timeDaemonScript } from '../../../src/hosts/facts/time-daemon.js';
import { lacks } from '../../support/needs.js';

const timesyncd = 'printf x > /usr/lib/systemd/systemd-timesyncd; chmod +x /usr/lib/systemd/systemd-timesyncd';
const debian = `mkdir /etc/chrony; printf 'confdir /etc/chrony/conf.d\\nsourcedir /etc/chrony/sources.d\\n' > /etc/chrony/chrony.conf
: > /usr/lib/systemd/system/chrony.service`;
const fedora = `printf 'pool 2.fedora.pool.ntp.org iburst\\nsourcedir /run/chrony-dhcp\\n' > /etc/chrony.conf
: > /usr/lib/systemd/system/chronyd.service`;
const ofKbs = "printf '# Written by kbs: a folder.\\nconfdir /etc/chrony.d\\n' >> /etc/chrony.conf";
const active = "printf '#!/bin/sh\\n' > /usr/local/bin/systemctl; chmod +x /usr/local/bin/systemctl";

const chrony: TimeDaemon = {
  program: 'chrony',
  unit: 'chrony.service',
  settings: '/etc/chrony/chrony.conf',
  folder: '/etc/chrony/conf.d',
};
const chronyd: TimeDaemon = { program: 'chrony', unit: 'chronyd.service', settings: '/etc/chrony.conf' };

describe.skipIf(lacks('root'))('what keeps the clock', () => {
  test.each<[string, string, TimeDaemon]>([
    ['nothing', '', { program: 'none' }],
    ['systemd-timesyncd', timesyncd, { program: 'timesyncd' }],
    ['chrony of Debian', debian, chrony],
    ['chrony of Fedora', fedora, chronyd],
    ['chrony of Fedora, where kbs has added a folder', `${fedora}\n${ofKbs}`, chronyd],
    ['chrony, with systemd-timesyncd beside it', `${timesyncd}\n${debian}`, chrony],
    [
      'systemd-timesyncd that runs, with chrony beside it',
      `${timesyncd}\n${debian}\n${active}`,
      { program: 'timesyncd' },
    ],
  ])('is %s', async (_, given, expected) => {
    const input = `mount -t tmpfs none /etc
mount -t tmpfs none /usr/local; mkdir /usr/local/bin; PATH=/usr/local/bin:$PATH
mount -t tmpfs none /usr/lib/systemd; mkdir /usr/lib/systemd/system
printf '#!/bin/sh\\nexit 3\\n' > /usr/local/bin/systemctl; chmod +x /usr/local/bin/systemctl
${given}
system() { echo "$2"; }
${timeDaemonScript}`;
    const { stdout } = await execa('unshare', ['--mount', 'sh', '-eu'], { input });
    expect(parseTimeDaemon(stdout)).toEqual(expected);
  });
});

test('is not told by other words', () => {
  expect(parseTimeDaemon(undefined)).toBeUndefined();
  expect(parseTimeDaemon('chrony chrony.service')).toBeUndefined();
});
