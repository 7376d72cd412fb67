import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { describeContract } from '../resources/contract-suite.js';
import { daemon, repository } from '../resources/debs.js';

const folder = await mkdtemp(join(tmpdir(), 'kbs-packages-'));
afterAll(() => rm(folder, { recursive: true }));

describeContract({
  about: 'packages',
  resources: [
    {
      kind: 'package',
      names: ['kbs-one', 'kbs-two'],
      repository: await repository(join(folder, 'repository'), daemon('1.0')),
    },
  ],
  given: 'rm -rf /etc/apt/sources.list /etc/apt/sources.list.d',
  drifts: {
    removed: 'dpkg --remove kbs-one',
    purged: 'dpkg --purge kbs-one kbs-two',
    'left unpacked': 'sed -i "/^Package: kbs-one/,/^$/s/ok installed/ok unpacked/" /var/lib/dpkg/status',
    'left in the middle': 'mkdir /var/lib/kbs/packages/work',
  },
  shows: `dpkg-query -W -f '\${db:Status-Abbrev} \${Package} \${Version}\\n'; find /etc/kbs-one /usr/sbin/policy-rc.d /etc/apt 2>&1 || :`,
});
