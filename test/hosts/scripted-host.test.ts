import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { applyChanges } from '../../src/engine/apply-changes.js';
import type { EventData } from '../../src/engine/event.js';
import type { PlannedChange } from '../../src/engine/executable-plan.js';
import { awaitGates } from '../../src/engine/gate.js';
import { resourcesOf } from '../../src/engine/observe.js';
import { queryAll } from '../../src/engine/query-batch.js';
import { toProblem } from '../../src/failure.js';
import { assumedFacts, type Facts, parseFacts } from '../../src/hosts/facts/facts.js';
import { type Host, mutation, query } from '../../src/hosts/host.js';
import { recordedScript, sh } from '../../src/hosts/shell.js';
import { phases } from '../../src/phases/index.js';
import { kindOf } from '../../src/resources/registry.js';
import { step, Unknown } from '../../src/resources/resource.js';
import { clusterOf, hostOf } from '../support/cluster.js';
import { here } from '../support/here.js';
import { printFacts } from '../support/scripted-facts.js';
import { type Machine, scriptedHost } from '../support/scripted-host.js';
import {
  changesIn,
  gatesIn,
  makeChanges,
  noPatience,
  printAnswers,
  printGates,
  questionsIn,
} from '../support/scripted-protocol.js';
import { keyOf, madeState, printState, subjectOf as subjectIn } from '../support/scripted-resources.js';
import { contextOf } from '../support/site.js';
import { failureOf } from './contract.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'kbs-scripted-host-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** What a shell makes of the scripts of this contract: the scripted machine says the same. */
const leaf: Readonly<Record<string, Machine>> = {
  "printf 'out\\n\\n'; printf err >&2; exit 3": (_, print) => {
    print('out\n\n');
    return { code: 3, stderr: 'err' };
  },
  "printf 'one\\ntw'; printf 'o\\nlast'": (_, print) => {
    print('one\ntw');
    print('o\nlast');
    return {};
  },
  'head -c 3; echo; head -c 0; head -c 2; echo; head -c 5': ({ payloads }, print) => {
    print(
      payloads
        .filter(({ length }) => length > 0)
        .map(String)
        .join('\n'),
    );
    return {};
  },
  'echo began; sleep 60': async (_, print) => {
    print('began\n');
    await sleep(60_000, undefined, { ref: false });
    return {};
  },
};

const replies: Readonly<Record<string, { readonly code: number; readonly output: string }>> = {
  'echo one; echo; echo two; echo; echo': { code: 0, output: 'one\n\ntwo\n\n\n' },
  'echo why; exit 3': { code: 3, output: 'why\n' },
  ':': { code: 0, output: '' },
  "echo 'not yet'; false": { code: 1, output: 'not yet\n' },
};

const scripted: Machine = (script, print) => {
  const { text } = script;
  const reply = (of: string) => replies[of] ?? { code: 127, output: `${of}: not in the table` };
  const [questions, gates, changes] = [questionsIn(text), gatesIn(text), changesIn(text)];
  if (questions) return printAnswers(questions, reply, print);
  if (gates) return printGates(gates, reply, { patience: noPatience, print });
  if (changes) {
    const failed = changes.map((change) => /echo '(.*)' >&2; exit 1/.exec(change)?.[1]);
    return makeChanges(changes.length, async (index) => failed[index], print);
  }
  return leaf[text]?.(script, print) ?? { code: 127, stderr: 'not in the table' };
};

/** A lock of the test's own. */
const withOwnLock = (host: Host): Host => ({
  ...host,
  mutate: (made, options) =>
    host.mutate(
      { ...made, script: recordedScript(made.script.replace('/run/kbs.lock', join(folder, 'lock'))) },
      options,
    ),
});

describe.each<[string, () => Host]>([
  ['a real shell', () => withOwnLock(here())],
  ['a scripted host', () => scriptedHost('here', scripted)],
])('%s', (_, open) => {
  it('gives stdout, stderr and the exit status', async () => {
    const output = await open().query(query(sh`printf 'out\\n\\n'; printf err >&2; exit 3`));
    expect(output).toEqual({ code: 3, stdout: 'out\n\n', stderr: 'err' });
  });

  it('hands over each line, the last one too, which has no end', async () => {
    const lines: string[] = [];
    await open().query(query(sh`printf 'one\\ntw'; printf 'o\\nlast'`), { onLine: (line) => lines.push(line) });
    expect(lines).toEqual(['one', 'two', 'last']);
  });

  it('gets payloads in their order, from memory and from files', async () => {
    const file = join(folder, 'payload');
    writeFileSync(file, 'three');
    const { stdout } = await open().mutate(
      mutation(sh`head -c 3; echo; head -c 0; head -c 2; echo; head -c 5`, [
        { bytes: Buffer.from('one') },
        { bytes: Buffer.alloc(0) },
        { bytes: Buffer.from('tw') },
        { file, size: 5 },
      ]),
    );
    expect(stdout).toBe('one\ntw\nthree');
  });

  it('runs nothing where a payload is not what was planned', async () => {
    const failure = await failureOf(open().mutate(mutation(sh`:`, [{ file: join(folder, 'none'), size: 5 }])));
    expect(failure).toMatchObject({ code: 'refused', message: `cannot read ${join(folder, 'none')}` });
  });

  it('lets go of what takes too long', async () => {
    const failure = await failureOf(open().query(query(sh`echo began; sleep 60`), { timeout: 50 }));
    expect(failure).toMatchObject({ code: 'timeout', where: { host: 'here' } });
  });

  it('lets go of what is interrupted', async () => {
    const stop = new AbortController();
    const failure = await failureOf(
      open().query(query(sh`echo began; sleep 60`), { signal: stop.signal, onLine: () => stop.abort() }),
    );
    expect(failure).toMatchObject({ code: 'interrupted', where: { host: 'here' } });
    const early = await failureOf(open().query(query(sh`:`), { signal: stop.signal }));
    expect(early.code).toBe('interrupted');
  });

  it('answers a batch of questions, each with its status and its output', async () => {
    const scripts = Object.keys(replies);
    const answers = await queryAll(
      open(),
      [],
      scripts.map((script) => ({ name: script, script: recordedScript(script) })),
    );
    expect(scripts.map((script) => answers.get(script))).toEqual([
      { code: 0, output: 'one\n\ntwo' },
      { code: 3, output: 'why' },
      { code: 0, output: '' },
      { code: 1, output: 'not yet' },
    ]);
  });

  it('says which gates are open, and why the others are not', async () => {
    const events: EventData[] = [];
    const gates = [
      { name: 'open', test: sh`:`, timeoutSeconds: 1 },
      { name: "Node's API", test: sh`echo 'not yet'; false`, timeoutSeconds: 1 },
    ];
    const context = {
      emit: (event: EventData) => events.push(event),
      signal: new AbortController().signal,
      timeout: 0,
    };
    const failure = await failureOf(awaitGates(open(), 'ready', gates, context));
    expect(toProblem(failure)).toMatchObject({ code: 'timeout', why: ["Node's API: not yet"] });
    expect(events.flatMap((event) => (event.type === 'gate' ? [`${event.gate} ${event.state}`] : []))).toEqual([
      'open started',
      "Node's API started",
      'open done',
      "Node's API failed",
    ]);
    await awaitGates(open(), 'ready', gates.slice(0, 1), context);
  });

  test.each([
    ['to the end', ['a', 'b'], ['a started', 'a done', 'b started', 'b done']],
    ['up to the one that fails', ['a', 'bad', 'b'], ['a started', 'a done', 'bad started']],
  ])('makes the changes of a phase %s', async (_, names, marks) => {
    const events: EventData[] = [];
    const changes = names.map(
      (name): PlannedChange => ({
        change: { kind: 'task', id: name, action: 'create', differences: [] },
        steps:
          name === 'bad'
            ? [step(sh`:`), step(sh`echo 'no room' >&2; exit 1`)]
            : [step(sh`:`), step(sh`printf "no end"`)],
      }),
    );
    const made = applyChanges(open(), 'phase', changes, { emit: (event) => events.push(event) });
    if (names.includes('bad')) {
      expect(toProblem(await failureOf(made))).toMatchObject({
        code: 'refused',
        what: 'create task bad failed',
        where: { host: 'here', phase: 'phase', resource: 'task bad', command: 'sh (exit status 1)' },
        why: ['no room'],
      });
    } else await made;
    expect(events.flatMap((event) => (event.type === 'change' ? [`${event.change.id} ${event.state}`] : []))).toEqual(
      marks,
    );
  });
});

describe('what a scripted machine prints', () => {
  const facts: Facts = {
    ...assumedFacts,
    hostname: 'w-0',
    addresses: ['192.168.10.20/24'],
    routes: [
      { to: 'default', via: '192.168.10.1', device: 'eth0' },
      { to: '192.168.10.0/24', device: 'eth0' },
    ],
    nameservers: ['192.0.2.53'],
    nameServices: [{ address: '127.0.0.53', process: 'systemd-resolve' }],
    listeners: [{ port: 6443, process: 'kube-apiserver' }],
    firewalls: [{ hook: 'input', table: 'ip filter', chain: 'INPUT', rules: [{ chain: 'INPUT', text: 'accept' }] }],
    etcdInstalled: true,
    system: {
      id: 'ubuntu',
      like: ['debian'],
      version: '24.04',
      packageManager: 'apt',
      programs: ['keepalived'],
      selinux: 'permissive',
      clockSynchronised: true,
      kernelLog: 'open',
      mounts: [{ folder: '/var/lib', type: 'zfs', at: '/', options: ['rw', 'relatime'] }],
      xfsTypes: true,
      zfs: '2.2.0',
      etcdClusters: ['first'],
      otherClusters: ['k3s'],
      zramUnits: [],
    },
    clusterCa: 'f'.repeat(64),
  };

  it('of its facts is read as these facts', () => {
    expect(parseFacts(printFacts(facts))).toEqual(facts);
    expect(parseFacts(printFacts({ ...assumedFacts, etcdMember: false }))).toEqual({
      ...assumedFacts,
      etcdMember: false,
    });
  });

  const cluster = clusterOf({
    endpoint: { host: '192.168.10.5', address: '192.168.10.5', vip: '192.168.10.5', port: 6443 },
    zone: 'lan',
    hosts: [
      ...clusterOf().hosts,
      hostOf({ name: 'lb-0', address: '192.168.10.3', roles: ['load-balancer', 'dns'], segment: 'office' }),
    ],
  });
  const context = contextOf(cluster);
  const resources = cluster.hosts.flatMap((host) => {
    const all = phases.filter((phase) => phase.appliesTo(host, cluster));
    return [...resourcesOf({ host, phases: all }, context).values()].flat();
  });
  const kinds = [...new Set(resources.map(({ kind }) => kind))].filter((kind) => !['object', 'task'].includes(kind));

  test.each(kinds)('of a resource of kind %s is read as its state, or as that it is not there', (kind) => {
    for (const resource of resources.filter((each) => each.kind === kind)) {
      const { query: ask, parse, desired, id } = kindOf(resource);
      const script = ask(resource);
      const subject = subjectIn(script);
      if (subject === undefined) throw new Error(`nothing is known of ${script}`);
      expect(keyOf(subject)).toBe(keyOf({ kind, id: id(resource) }));
      const wanted = desired(resource);
      const there = parse(printState(subject, madeState(kind, undefined, wanted), script), resource);
      expect(there).toMatchObject(wanted);
      const missing = parse(printState(subject, undefined, script), resource);
      expect(missing).not.toBeInstanceOf(Unknown);
      if (kind !== 'swap') expect(missing ?? {}).not.toMatchObject(wanted);
    }
  });
});
