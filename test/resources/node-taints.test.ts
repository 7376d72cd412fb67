import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execaSync } from 'execa';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sh } from '../../src/hosts/shell.js';
import { setTaints, taint } from '../../src/resources/node-object.js';

/** The commands that change something, as a stand-in for kubectl was called with them. */
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kbs-taints-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const called = (recorded: string, wanted: readonly string[], answer = ''): readonly string[] => {
  const kubectl = join(folder, 'kubectl');
  const log = join(folder, 'log');
  writeFileSync(log, '');
  writeFileSync(
    kubectl,
    `#!/bin/sh
if [ "$1" = get ]; then printf 'other theirs:NoSchedule\\nw-1 %s\\n' '${recorded}'; exit; fi
for word; do printf '[%s]' "$word"; done >> ${log}; echo >> ${log}
case $1$4 in taint*-) ${answer} ;; esac
`,
    { mode: 0o755 },
  );
  const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'w-1' }, spec: { taints: wanted.map(taint) } };
  execaSync('sh', ['-euc', setTaints(sh`${kubectl}`, [node])]);
  const words = /\[(taint|annotate)\]\[nodes\]\[w-1\](.*?)(?:\[--overwrite\])?\[--field-manager=kbs\]/;
  return readFileSync(log, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => line.replace(words, '$1 $2'));
};

describe('the taints of a Node', () => {
  it.each<[string, string, readonly string[], readonly string[]]>([
    ['none, where none was', '', [], []],
    [
      'new ones, named before they are set',
      '',
      ['a=x:NoSchedule', 'b:NoExecute'],
      ['annotate [kbs.dev/taints=a=x:NoSchedule b:NoExecute]', 'taint [a=x:NoSchedule][b:NoExecute]'],
    ],
    [
      'another value, in place',
      'a=x:NoSchedule',
      ['a=y:NoSchedule'],
      ['annotate [kbs.dev/taints=a=y:NoSchedule]', 'taint [a=y:NoSchedule]'],
    ],
    [
      'another effect, once the old one is gone',
      'a=x:NoSchedule',
      ['a=x:NoExecute'],
      ['taint [a:NoSchedule-]', 'annotate [kbs.dev/taints=a=x:NoExecute]', 'taint [a=x:NoExecute]'],
    ],
    [
      'none any more',
      'a=x:NoSchedule b:NoExecute',
      [],
      ['taint [a:NoSchedule-]', 'taint [b:NoExecute-]', 'annotate [kbs.dev/taints-]'],
    ],
    [
      'none, of which an annotation holds other words',
      '-l a:x=y * $(reboot)',
      [],
      ['taint [a:x-]', 'annotate [kbs.dev/taints-]'],
    ],
  ])('become %s', (_, recorded, wanted, commands) => {
    expect(called(recorded, wanted)).toEqual(commands);
  });

  it('that are gone already need no removal', () => {
    expect(called('a:NoSchedule', [], `echo 'error: taint "a:NoSchedule" not found' >&2; exit 1`)).toHaveLength(2);
  });

  it('stay named where they cannot be removed', () => {
    expect(() => called('a:NoSchedule', [], 'echo "etcdserver: no leader" >&2; exit 1')).toThrow('no leader');
    expect(readFileSync(join(folder, 'log'), 'utf8')).not.toContain('annotate');
  });
});
