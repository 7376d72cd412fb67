import { execFileSync } from 'node:child_process';
import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import type { Query } from '../../src/hosts/host.js';
import { quote } from '../../src/hosts/shell.js';
import { membersOf } from '../../src/kubernetes/etcd-members.js';
import { etcdctl } from '../../src/kubernetes/etcdctl.js';
import { clusterOf } from '../support/cluster.js';

const folder = await mkdtemp(join(tmpdir(), 'kbs-etcdctl-'));
afterAll(() => rm(folder, { recursive: true }));

/** etcd 3.7.3 accepts it as --advertise-client-urls, and gives it to all who ask for the members. */
const hostile = `http://x;touch$IFS$9${folder}/made;:2379`;

/** Answers as etcdctl does, and keeps the arguments of `endpoint status`, one a line. */
const stub = join(folder, 'etcdctl');
await writeFile(
  stub,
  `#!/bin/sh
case $* in
  *'-w simple member list'*) echo ${quote(`1, started, cp, https://192.0.2.1:2380, ${hostile}, false`)} ;;
  *'-w json member list'*) echo ${quote(JSON.stringify({ members: [{ ID: 1, name: 'cp', clientURLs: [hostile] }] }))} ;;
  *'endpoint status'*) printf '%s\\n' "$@" > ${folder}/arguments; echo '[]' ;;
esac
`,
);
await chmod(stub, 0o755);

/** Runs a script in a real shell, with the stub in etcdctl's place. */
const run = (script: string): string =>
  execFileSync('sh', ['-euc', script.replaceAll('/usr/local/bin/etcdctl', stub)]).toString();

const host = {
  name: 'cp',
  query: ({ script }: Query) => Promise.resolve({ code: 0, stdout: run(script), stderr: '' }),
  mutate: () => Promise.reject(new Error('nothing is changed')),
};

it('a client URL that is shell is asked as the URL that it is, and never run', async () => {
  const members = await membersOf({ host }, clusterOf());
  expect(members.map(({ clientUrls }) => clientUrls)).toEqual([[hostile]]);
  expect(await readFile(join(folder, 'arguments'), 'utf8')).toContain(`--endpoints=${hostile}\n`);
  run(`${etcdctl(members[0]?.clientUrls ?? [])} endpoint status`);
  expect(await readFile(join(folder, 'arguments'), 'utf8')).toContain(`--endpoints=${hostile}\n`);
  expect((await readdir(folder)).sort()).toEqual(['arguments', 'etcdctl']);
});
