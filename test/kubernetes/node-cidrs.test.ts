import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Failure, Failures } from '../../src/failure.js';
import { type Observer, type Output, query } from '../../src/hosts/host.js';
import type { ClusterHost } from '../../src/inventory/cluster.js';
import { askNodeCidrs, parseNodeCidrs, recordScript } from '../../src/kubernetes/node-cidrs.js';
import { clusterOf, hostOf } from '../support/cluster.js';
import { here } from '../support/here.js';
import { asScript } from '../support/script.js';

describe('what a control plane says of the pod CIDRs', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'kbs-cidrs-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** Asked by a real shell of a kubectl that answers for Nodes and for the ConfigMap. */
  const ask = async (nodes: string, record: string) => {
    const [program, conf] = [join(folder, 'kubectl'), join(folder, 'admin.conf')];
    writeFileSync(conf, '');
    writeFileSync(program, `#!/bin/sh\ncase "$*" in *' get nodes '*) ${nodes} ;; *) ${record} ;; esac\n`, {
      mode: 0o755,
    });
    const script = recordScript
      .replaceAll('/usr/local/bin/kubectl', program)
      .replaceAll('/etc/kubernetes/admin.conf', conf);
    return parseNodeCidrs((await here().query(query(asScript(script)))).stdout);
  };

  it('each Node has its CIDRs, or none yet, and the record is there as it was written', async () => {
    const text = '{\n  "segments": {},\n  "hosts": {}\n}\n';
    writeFileSync(join(folder, 'record'), text);
    const nodes = 'printf "a 10.244.1.0/24\\nb 10.244.2.0/24 fd00::/64\\nc \\n"';
    expect(await ask(nodes, `cat ${folder}/record`)).toEqual({
      state: 'answered',
      nodes: new Map([
        ['a', ['10.244.1.0/24']],
        ['b', ['10.244.2.0/24', 'fd00::/64']],
        ['c', []],
      ]),
      recorded: text,
    });
  });

  it('a cluster without Nodes and without a record has answered too', async () => {
    expect(await ask('exit 0', 'exit 0')).toEqual({ state: 'answered', nodes: new Map() });
  });

  it.each([
    ['of the Nodes', 'echo refused >&2; exit 1', 'exit 0'],
    ['of the record', 'echo a 10.244.1.0/24', 'echo refused >&2; exit 1'],
  ])('it has not answered where kubectl fails in the question %s', async (_question, nodes, record) => {
    expect(await ask(nodes, record)).toEqual({ state: 'not answered', reason: 'refused' });
  });

  it('nothing is installed on a host without kubectl', async () => {
    const script = recordScript.replaceAll('/usr/local/bin/kubectl', join(folder, 'none'));
    expect(parseNodeCidrs((await here().query(query(asScript(script)))).stdout)).toEqual({ state: 'not installed' });
  });

  it('output that was cut off is no answer', () => {
    for (const printed of ['', 'a 10.244.1.0/24\n', 'a 10.244.1.0/24\n\nkbs: answered\n\x1d{"segm']) {
      expect(parseNodeCidrs(printed)).toMatchObject({ state: 'not answered' });
    }
  });
});

describe('which control plane counts', () => {
  const names = ['c1', 'c2', 'c3'];
  const hosts = names.map((name) => hostOf({ name, address: '192.0.2.1', segment: 's', roles: ['control-plane'] }));
  const printed = { none: 'kbs: not installed', down: 'kbs: not answered: refused' };
  const answering = (name: string) => `${name} 10.244.1.0/24\n\nkbs: answered\n\x1d\nkbs: answered\n`;

  const open =
    (states: readonly string[]) =>
    ({ name }: ClusterHost): Observer => ({
      name,
      query: (): Promise<Output> => {
        const state = states[names.indexOf(name)] ?? '';
        if (state === 'gone') return Promise.reject(new Failure('unreachable', `${name} is gone`));
        if (state === 'interrupted') return Promise.reject(new Failure('interrupted', 'interrupted'));
        const stdout = state === 'up' ? answering(name) : printed[state === 'none' ? 'none' : 'down'];
        return Promise.resolve({ code: 0, stdout, stderr: '' });
      },
    });
  const asked = (...states: readonly string[]) => askNodeCidrs(clusterOf({ hosts }), open(states));

  it.each([
    [
      'the first that answers',
      ['gone', 'up', 'up'],
      { state: 'answered', nodes: new Map([['c2', ['10.244.1.0/24']]]) },
    ],
    ['one that answers, though nothing is installed elsewhere', ['none', 'down', 'up'], { state: 'answered' }],
    ['none where nothing is installed on any', ['none', 'none', 'none'], { state: 'not installed' }],
    [
      'none where one is down, and it is said which',
      ['none', 'down', 'down'],
      { state: 'not answered', reason: 'c2: refused; c3: refused' },
    ],
  ])('%s', async (_which, states, expected) => {
    expect(await asked(...states)).toMatchObject(expected);
  });

  it('one that cannot be reached is a failure where no other answers: its API server may be up', async () => {
    await expect(asked('none', 'gone', 'down')).rejects.toThrow(
      new Failures([new Failure('unreachable', 'c2 is gone')]),
    );
  });

  it('an interrupt is one', async () => {
    await expect(asked('up', 'interrupted', 'up')).rejects.toMatchObject({ code: 'interrupted' });
  });
});
