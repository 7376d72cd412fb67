import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { queryAll } from '../../src/engine/query-batch.js';
import { object } from '../../src/resources/object.js';
import { parseObjectSets } from '../../src/resources/object-sets.js';
import { project } from '../../src/resources/projection.js';
import { type KubeObject, type ObjectResource, type State, Unknown } from '../../src/resources/resource.js';
import { here } from '../support/here.js';
import { asScript } from '../support/script.js';
import { differing, known } from './reconcile.js';
import { applied } from './recorded/objects.js';

/** What a real API server of Kubernetes 1.36 answered after these objects were applied, and what they then were. */
const answer = await readFile(new URL('recorded/objects.json', import.meta.url), 'utf8');

const resource: ObjectResource = {
  kind: 'object',
  name: 'all sorts',
  kubeconfig: '/etc/kubernetes/admin.conf',
  objects: applied,
  keep: 'until-removed',
};

describe('objects', () => {
  it('are as desired where the API server has added fields', () => {
    expect(differing(seenIn(answer), object.desired(resource))).toEqual({});
  });

  it('are found where kubectl prints a single object without a list', () => {
    const [first] = parsed().items;
    const seen = seenIn(JSON.stringify(first));
    expect(Object.keys(seen ?? {})).toEqual(['ConfigMap/kube-system/kubeadm-config']);
  });

  it.each<[string, string, (live: Live) => void]>([
    [
      'a label changed',
      'Node/worker-00',
      (live) => set(live, 'metadata.labels', { 'topology.kubernetes.io/zone': 'x' }),
    ],
    [
      'an empty label removed',
      'DaemonSet/kube-system/kube-proxy',
      (live) => set(live, 'metadata.labels.empty', undefined),
    ],
    ['a subject added', 'ClusterRoleBinding/kbs:x', (live) => push(live, 'subjects', { kind: 'User', name: 'evil' })],
    ['a verb added', 'ClusterRole/kbs:x', (live) => push(live, 'rules.0.verbs', '*')],
    ['a taint removed', 'Node/worker-00', (live) => set(live, 'spec.taints', undefined)],
    ['a value given to a taint without one', 'Node/worker-00', (live) => set(live, 'spec.taints.0.value', 'x')],
    ['a taint that is not named as its own', 'Node/worker-00', (live) => set(live, taintsName, undefined)],
    [
      'a label that it applied once',
      'Node/worker-00',
      (live) => {
        set(live, 'metadata.labels.former', 'x');
        set(live, `${ownLabels}.f:former`, {});
      },
    ],
    [
      'a taint that it set once',
      'Node/worker-00',
      (live) => {
        push(live, 'spec.taints', { key: 'former', value: 'x', effect: 'NoExecute' });
        set(live, taintsName, `${controlPlane} former=x:NoExecute`);
      },
    ],
    ['a selector narrowed', 'Service/kube-system/kube-dns', (live) => set(live, 'spec.selector.x', 'y')],
    ['replicas scaled', 'Deployment/kube-system/coredns', (live) => set(live, 'spec.replicas', 1)],
    [
      'a limit changed',
      'Deployment/kube-system/coredns',
      (live) => set(live, `${container}.resources.limits.cpu`, '501m'),
    ],
    ['an argument added', 'Deployment/kube-system/coredns', (live) => push(live, `${container}.args`, '-v')],
    [
      'a token mounted again',
      'DaemonSet/kube-system/kube-proxy',
      (live) => set(live, `${pod}.automountServiceAccountToken`, undefined),
    ],
    ['a secret changed', 'Secret/kube-system/bootstrap', (live) => set(live, 'data.b', 'b3RoZXI=')],
    ['a secret value removed', 'Secret/kube-system/bootstrap', (live) => set(live, 'data.b', undefined)],
    ['applied with another field once', 'ConfigMap/kube-system/kubeadm-config', (live) => set(live, digest, '0123')],
  ])('%s is seen in %s alone, and only that is applied', (_drift, key, change) => {
    const seen = seenIn(answerWith(key, change));
    expect(Object.keys(differing(seen, object.desired(resource)))).toEqual([key]);
    const [step] = object.apply(resource, seen);
    const [payload] = step?.payloads ?? [];
    const applied: unknown =
      payload && 'bytes' in payload ? JSON.parse(Buffer.from(payload.bytes).toString()) : undefined;
    expect(applied).toMatchObject({ items: [{ kind: key.split('/')[0], metadata: { name: key.split('/').at(-1) } }] });
  });

  it.each<[string, string, (live: Live) => void]>([
    ['a label of another', 'Node/worker-00', (live) => set(live, 'metadata.labels.mine', 'x')],
    [
      'a label that it applied once, and that another has applied too,',
      'Node/worker-00',
      (live) => {
        set(live, 'metadata.labels.former', 'x');
        set(live, `${ownLabels}.f:former`, {});
        push(live, 'metadata.managedFields', {
          manager: 'kubectl-label',
          operation: 'Update',
          fieldsV1: { 'f:metadata': { 'f:labels': { 'f:former': {} } } },
        });
      },
    ],
    ['a taint of another', 'Node/worker-00', (live) => push(live, 'spec.taints', { key: 'mine', effect: 'NoExecute' })],
    ['a sidecar', 'Deployment/kube-system/coredns', (live) => push(live, `${pod}.containers`, { name: 'mine' })],
    ['a key of another', 'ConfigMap/kube-system/kubeadm-config', (live) => set(live, 'data.mine', 'x')],
    ['a status', 'DaemonSet/kube-system/kube-proxy', (live) => set(live, 'status', { numberReady: 1 })],
  ])('%s in %s is left alone', (_what, key, change) => {
    expect(differing(seenIn(answerWith(key, change)), object.desired(resource))).toEqual({});
  });

  it('of a set that may be pruned have a label with its name, and are updated where they lack it', () => {
    const [first] = applied.map(({ apiVersion, kind, metadata }) => ({ apiVersion, kind, metadata }));
    const set: ObjectResource = { kind: 'object', name: 'some', kubeconfig: '/x', objects: first ? [first] : [] };
    const live = (labels: object) =>
      `${JSON.stringify({ ...first, metadata: { ...first?.metadata, ...written, labels } })}\nkbs: answered`;
    const written = {
      annotations: { 'kbs.dev/digest': /digest: (\w+)/.exec(JSON.stringify(object.desired(set)))?.[1] },
    };
    expect(differing(object.parse(live({ 'kbs.dev/set': 'some', a: 'b' }), set), object.desired(set))).toEqual({});
    expect(Object.keys(differing(object.parse(live({}), set), object.desired(set)))).toHaveLength(1);
  });

  it('of a set that no phase desires are found by that label', () => {
    const lines = ['a v1 ServiceAccount x kube-system', 'b v1 Namespace y ', 'a apps/v1 DaemonSet x kube-system', ''];
    const set = (name: string, ...objects: readonly object[]) => ({ kind: 'object', name, kubeconfig: '/k', objects });
    expect(parseObjectSets(lines.join('\n'), '/k')).toEqual([
      set(
        'a',
        { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'x', namespace: 'kube-system' } },
        { apiVersion: 'apps/v1', kind: 'DaemonSet', metadata: { name: 'x', namespace: 'kube-system' } },
      ),
      set('b', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'y' } }),
    ]);
  });

  it('show a digest in place of every secret, and send the secret itself', () => {
    const shown = JSON.stringify([object.desired(resource), seenIn(answer), object.query(resource)]);
    const [step] = object.apply(resource, undefined);
    const [payload] = step?.payloads ?? [];
    const sent = payload && 'bytes' in payload ? Buffer.from(payload.bytes).toString() : '';
    for (const plain of ['hush', 'hunter2']) {
      const encoded = Buffer.from(plain).toString('base64');
      expect(shown).not.toContain(plain);
      expect(shown).not.toContain(encoded);
      expect(step?.script).not.toContain(encoded);
      expect(sent).toContain(encoded);
    }
  });
});

describe('the output of a query for objects', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'kbs-object-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** Asked by a real shell of a kubectl that is a script of the test's own. */
  const see = async (kubectl: string | undefined, kubeconfig = true): Promise<State | Unknown | undefined> => {
    const [program, conf] = [join(folder, 'kubectl'), join(folder, 'admin.conf')];
    if (kubectl !== undefined) writeFileSync(program, `#!/bin/sh\n${kubectl}\n`, { mode: 0o755 });
    if (kubeconfig) writeFileSync(conf, '');
    const asked = { ...resource, kubeconfig: conf };
    const prelude = (object.prelude ?? '')
      .replaceAll('/usr/local/bin/kubectl', program)
      .replace('timeout 15', 'timeout 1');
    const results = await queryAll(here(), [asScript(prelude)], [{ name: 'objects', script: object.query(asked) }]);
    const [{ code, output } = { code: 1, output: '' }] = [...results.values()];
    expect(code).toBe(0);
    return object.parse(output, asked);
  };
  const found = (file: string): string => `cat ${new URL(`recorded/${file}`, import.meta.url).pathname}`;

  it.each([
    ['without kubectl', undefined, true],
    ['without the kubeconfig', 'echo refused >&2; exit 1', false],
    ['whose API server has none of them', 'exit 0', true],
  ])('they are absent on a host %s', async (_host, kubectl, kubeconfig) => {
    expect(await see(kubectl, kubeconfig)).toBeUndefined();
  });

  it.each([
    ['the last line of stderr', 'echo E1126 retry >&2; echo refused >&2; echo >&2; exit 1', 'refused'],
    ['the exit status', 'exit 3', 'kubectl ended with exit status 3'],
    ['that there was no answer', 'exec sleep 60', 'kubectl got no answer within 10 s'],
    ['an error after some objects', `${found('objects.json')}; echo Forbidden >&2; exit 1`, 'Forbidden'],
    ['that it is not JSON', 'echo hello', 'kubectl did not print JSON'],
  ])('they are unknown where kubectl fails, and the reason is %s', async (_reason, kubectl, reason) => {
    expect(await see(kubectl)).toEqual(new Unknown(reason));
  });

  it('has the objects as kubectl prints them, without its warnings', async () => {
    const seen = await see(`${found('objects.json')}; echo Warning: deprecated >&2`);
    expect(differing(seen, object.desired(resource))).toEqual({});
  });

  it('comes from kubectl with the names and the kubeconfig of the set', async () => {
    await see(`printf '%s\\n' "$@" > ${folder}/arguments; cat > ${folder}/names`);
    expect(readFileSync(join(folder, 'arguments'), 'utf8')).toContain(`--kubeconfig\n${folder}/admin.conf\n`);
    expect(JSON.parse(readFileSync(join(folder, 'names'), 'utf8'))).toMatchObject({ kind: 'List' });
  });

  it('is unknown where it was cut off', () => {
    for (const length of [0, 4000, answer.length]) {
      expect(object.parse(answer.slice(0, length), resource)).toBeInstanceOf(Unknown);
    }
  });
});

describe('a projection', () => {
  const wantedObjects = fc.letrec((tie) => ({
    value: fc.oneof({ depthSize: 'small' }, fc.string(), fc.integer(), fc.boolean(), tie('map')),
    map: fc.dictionary(fc.stringMatching(/^[a-m]{1,4}$/), tie('value'), { maxKeys: 4 }),
  })).map;

  it('of a desired object onto itself is that object', () => {
    fc.assert(fc.property(wantedObjects, (wanted) => void expect(project(wanted, wanted)).toEqual(wanted)));
  });

  it('leaves out fields that other programs add', () => {
    const added = (value: unknown): unknown =>
      isMap(value)
        ? { ...Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, added(inner)])), zzz: 'theirs' }
        : value;
    fc.assert(fc.property(wantedObjects, (wanted) => void expect(project(added(wanted), wanted)).toEqual(wanted)));
  });
});

type Live = Record<string, unknown>;

/** What is seen where kubectl answers. */
const seenIn = (json: string): State | undefined => known(object.parse(`${json}\nkbs: answered`, resource));

const pod = 'spec.template.spec';
const container = `${pod}.containers.0`;
const digest = 'metadata.annotations.kbs~dev/digest';
const taintsName = 'metadata.annotations.kbs~dev/taints';
const controlPlane = 'node-role.kubernetes.io/control-plane:NoSchedule';
const ownLabels = 'metadata.managedFields.0.fieldsV1.f:metadata.f:labels';

const isMap = (value: unknown): value is Live => typeof value === 'object' && value !== null && !Array.isArray(value);
const parsed = (): { items: (Live & KubeObject)[] } => JSON.parse(answer);

const answerWith = (key: string, change: (live: Live) => void): string => {
  const list = parsed();
  const [kind] = key.split('/');
  const found = list.items.find((item) => item.kind === kind && item.metadata.name === key.split('/').at(-1));
  if (!found) throw new Error(`no ${key}`);
  change(found);
  return JSON.stringify(list);
};

/** The field at a dotted path, in which `~` stands for a dot; `undefined` removes it. */
const set = (live: Live, path: string, value: unknown): void => {
  const { parent, field } = at(live, path);
  if (value === undefined) delete parent[field];
  else parent[field] = value;
};

const push = (live: Live, path: string, value: unknown): void => {
  const { parent, field } = at(live, path);
  parent[field] = [...(parent[field] as unknown[]), value];
};

const at = (live: Live, path: string): { parent: Live; field: string } => {
  const fields = path.split('.').map((field) => field.replaceAll('~', '.'));
  const field = fields.pop() ?? '';
  return { parent: fields.reduce((value, each) => value[each] as Live, live), field };
};
