import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { query } from '../../src/hosts/host.js';
import { recordedScript, sh } from '../../src/hosts/shell.js';
import { peerUrl } from '../../src/kubernetes/etcdctl.js';
import { removeMemberOperation } from '../../src/kubernetes/leave-cluster.js';
import { hostOf } from '../support/cluster.js';
import { here } from '../support/here.js';

const scratch = mkdtempSync(join(tmpdir(), 'kbs-leave-'));
afterAll(() => rmSync(scratch, { recursive: true }));

const [leaving, staying] = [
  hostOf({ name: 'cp-1', address: '192.0.2.2', segment: 's' }),
  hostOf({ name: 'cp-0', address: '192.0.2.1', segment: 's' }),
];

/** Removes the member with an etcdctl that answers the n-th request for a removal with the n-th of `replies`. */
const removal = async (...replies: readonly string[]) => {
  const folder = mkdtempSync(join(scratch, 'one-'));
  const etcdctl = join(folder, 'etcdctl');
  writeFileSync(
    etcdctl,
    `#!/bin/sh
case $* in *'member list') echo 'ab12, started, cp-1, ${peerUrl(leaving)}, urls, false'; exit ;; esac
echo "$*" | sed 's/.*member/member/' >> ${folder}/requests
reply=$(sed -n "$(wc -l < ${folder}/requests)p" <<'END'
${replies.join('\n')}
END
)
[ "$reply" = removed ] || { echo "Error: etcdserver: $reply" >&2; exit 1; }
`,
  );
  chmodSync(etcdctl, 0o755);
  const member = { id: '1', name: 'cp-1', peerUrls: [], clientUrls: [], learner: false } as never;
  const { script } = removeMemberOperation(
    leaving,
    { at: staying, host: here('cp-0'), kubectl: sh`false` },
    {
      ...{ member, members: [member], staying: [staying] },
    },
  );
  const { code, stderr } = await here().query(
    query(recordedScript(`set -eu\n${script.replaceAll('/usr/local/bin/etcdctl', etcdctl)}`)),
  );
  return { code, stderr, requests: readFileSync(join(folder, 'requests'), 'utf8').trim().split('\n') };
};

test('a member is removed once the others have been connected for long enough', async () => {
  expect(await removal('unhealthy cluster', 'removed')).toEqual({
    code: 0,
    stderr: '',
    requests: ['member remove ab12', 'member remove ab12'],
  });
});

test('any other refusal ends the operation at once, with the reason of etcd', async () => {
  expect(await removal('re-configuration failed', 'removed')).toEqual({
    code: 1,
    stderr: expect.stringContaining('re-configuration failed'),
    requests: ['member remove ab12'],
  });
});
