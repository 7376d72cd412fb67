import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Change, changesOf, type Plan } from '../../src/engine/plan.js';
import { labKill, labStart } from '../../src/lab/index.js';
import type { CheckResult } from '../../src/verify/check-result.js';
import type { AddonStatus } from '../../src/workflows/addons/status.js';
import { kubectl } from './support/kubectl.js';
import { linesOf, makeProject, type Project } from './support/project.js';
import { pulledImages } from './support/pulls.js';
import { type Moment, startUntil } from './support/run-until.js';
import { ask, askMeanwhile, worstSecond } from './support/web-client.js';
import { whole } from './support/whole.js';

const inventory = `apiVersion: kbs/v1
cluster: e2e-addons
kubernetes: { version: 1.36.3 }
network:
  segments:
    office: { cidr: 10.94.10.0/24, gateway: 10.94.10.1 }
    rack: { cidr: 10.94.20.0/24, gateway: 10.94.20.1 }
endpoint: { name: api.addons.internal, vip: 10.94.10.5, ingress: true }
dns: { zone: addons.internal, upstreams: [10.94.10.1] }
ssh: { user: root }
addons:
  small: { chart: ./small, namespace: small, timeout: 120, values: { greeting: hello } }
  storage: {}
  metrics-server: {}
  load-balancer-services: { pool: 10.94.10.200-10.94.10.210 }
  ingress: { chart: ./traefik }
hosts:
  lb-00: { address: 10.94.10.3, roles: [load-balancer, dns] }
  lb-01: { address: 10.94.10.4, roles: [load-balancer, dns] }
  controller-00: { address: 10.94.20.10, roles: [control-plane] }
  worker-00: { address: 10.94.10.20, roles: [worker] }
  worker-01: { address: 10.94.10.21, roles: [worker] }
`;

/** On the control plane, so that the loss of a worker concerns what leads to the pod alone. */
const web = `apiVersion: v1
kind: Pod
metadata: { name: web, labels: { app: web } }
spec:
  nodeName: controller-00
  terminationGracePeriodSeconds: 0
  containers: [{ name: web, image: kbs.local/probe:1.0, imagePullPolicy: IfNotPresent, args: ["8080"] }]
---
apiVersion: v1
kind: Service
metadata: { name: web }
spec: { type: LoadBalancer, selector: { app: web }, ports: [{ port: 80, targetPort: 8080 }] }
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: web }
spec:
  rules:
    - host: web.apps.addons.internal
      http: { paths: [{ path: /, pathType: Prefix, backend: { service: { name: web, port: { number: 80 } } } }] }
`;

/** One cluster's add-ons, from before it exists until they are gone: each test goes on from where the last one left off. */
describe('add-ons', () => {
  let project: Project;

  beforeAll(async () => {
    project = await makeProject('e2e-addons', inventory);
    for (const chart of ['small', 'traefik']) await project.addChart(chart);
    await project.kbs('lab up');
  });
  afterAll(() => project?.remove());

  const plan = (exit: number) => project.json<Plan>('plan', exit);
  const released = async (exit: number) => changesOf(await plan(exit)).filter(({ kind }) => kind === 'release');
  const settings = (from: string, to: string) => project.write('kbs.yaml', inventory.replace(from, to));

  test('come with the cluster by one apply, those first that others need', async () => {
    const bare = (await plan(10)).hosts.find(({ host }) => host === 'controller-00');
    expect(bare?.phases.at(-1)?.changes.map(({ id }) => id)).toEqual([
      'local-path-storage/local-path-provisioner',
      'kube-system/metrics-server',
      'metallb-system/metallb',
      'metallb-system/metallb-objects',
      'traefik/traefik',
      'small/small',
    ]);
    await project.kbs('apply --yes');
    expect(linesOf(await plan(0))).toEqual([]);
  });

  test('do what they are for', async () => {
    const { findings } = await project.json<{ findings: readonly CheckResult[] }>('verify');
    expect(findings.filter(({ proof }) => proof === 'metrics').map(({ name, ok }) => [name, ok])).toEqual([
      ['controller-00', true],
      ['worker-00', true],
      ['worker-01', true],
    ]);
    expect(findings.filter(({ proof }) => proof === 'storage').map(({ name, ok }) => [name, ok])).toEqual([
      ['a claim is bound', true],
      ['another pod reads what the first wrote', true],
    ]);
    const told = (proof: string) =>
      findings
        .filter((each) => each.proof === proof)
        .map(({ name, ok, detail }) => `${ok} ${name}${ok ? '' : ` ${detail}`}`);
    // The checks of different hosts end in any order.
    const asked = told('Service from LAN');
    expect(asked).toHaveLength(3);
    expect(asked).toContain('true a Service gets an address of office');
    expect(asked).toContainEqual(expect.stringMatching(/^true \S+ \(office\) → 10\.94\.10\.2\d\d \(office\)$/));
    expect(asked).toContainEqual(expect.stringMatching(/^true \S+ \(rack\) → 10\.94\.10\.2\d\d \(office\)$/));
    const url = 'https://kbs-verify.apps.addons.internal/forwarded';
    expect(told('Ingress from LAN').toSorted()).toEqual([
      `true controller-00 (rack) → ${url}, seen as 10.94.20.10`,
      expect.stringMatching(new RegExp(`^true worker-0\\d \\(office\\) → ${url}, seen as 10\\.94\\.10\\.2\\d$`)),
    ]);
    const flags = await kubectl(project, `-n kube-system get deployment metrics-server -o jsonpath='{..args}'`);
    expect(flags).not.toContain('kubelet-insecure-tls');
  });

  test('are planned object by object when a value changes, and where objects were edited, without the values of Secrets', async () => {
    await kubectl(project, `-n small patch configmap small --type merge -p '{"data":{"greeting":"by hand"}}'`);
    await kubectl(project, '-n small delete deployment small');
    const status = await project.json<{ addons: readonly AddonStatus[] }>('addons status', 8);
    expect(status.addons.find(({ name }) => name === 'small')?.state).toMatch(/edited: .*Deployment.*ConfigMap/);
    await settings('greeting: hello', 'greeting: goodbye, password: second-one');
    const [change] = await released(10);
    expect(texts(change, 'ConfigMap/small/small')).toEqual(['  greeting: by hand', '  greeting: goodbye']);
    expect(texts(change, 'Secret/small/small').join()).toMatch(/password: sha256:\w+,.*password: sha256:\w+/);
    expect(JSON.stringify(change)).not.toMatch(/second-one|c2Vjb25k/);
    await project.kbs('apply --yes');
    expect(await kubectl(project, `-n small get configmap small -o jsonpath='{.data.greeting}'`)).toBe('goodbye');
    expect(linesOf(await plan(0))).toEqual([]);
  });

  test.runIf(whole)('go back to what they were where an upgrade fails, and the pods say why', async () => {
    await settings('timeout: 120, values: { greeting: hello', 'timeout: 15, values: { image: "kbs.local/absent:1"');
    const { stderr } = await project.kbs('apply --yes', { exit: 7 });
    expect(stderr).toMatch(/Pod small-\S+: Failed: .*kbs\.local\/absent:1/);
    expect(stderr).toMatch(/rolled back/);
    await settings('greeting: hello', 'greeting: goodbye, password: second-one');
    expect(linesOf(await plan(0))).toEqual([]);
  });

  test.runIf(whole)('that were installed without kbs are refused, and taken over where the owner says so', async () => {
    await kubectl(project, '-n small label secret -l owner=helm,name=small kbs.dev/addon-');
    const { stderr } = await project.kbs('plan', { exit: 6 });
    expect(stderr).toMatch(/the release small\/small was installed without kbs[\s\S]*adopt: true/);
    await settings('small: { chart', 'small: { adopt: true, chart');
    await project.kbs('apply --yes');
  });

  test.runIf(whole)('end well where the installation is killed, with helm itself', async () => {
    await project.kbs('addons remove metrics-server --yes');
    const installing = 'addons install metrics-server --yes';
    const running = await startUntil(project, installing, releaseStarted('kube-system/metrics-server'));
    await project.on('controller-00', `until ${recorded}; do sleep 0.1; done`);
    running.kill('SIGKILL');
    await running.ended;
    await project.on('controller-00', 'kill -9 $(pidof helm)');
    const [change] = await released(10);
    expect(change?.differences.find(({ aspect }) => aspect === 'status')?.is).toBe('pending-install');
    await project.kbs(installing);
    expect(linesOf(await plan(0))).toEqual([]);
  });

  test.runIf(whole)(
    'lose at most one request a second by name, with a load balancer and with an ingress node',
    async () => {
      await kubectl(project, 'apply -f -', web);
      const client = {
        servers: ['10.94.10.3', '10.94.10.4'],
        ca: (await project.kbs('addons ca')).stdout,
        patience: 5_000,
      };
      const url = 'https://web.apps.addons.internal/whoami';
      await expect.poll(() => ask(url, client).catch(String), { timeout: 30_000 }).toMatch(/^10\./);
      for (const host of [await vipHolder(project), 'worker-00']) {
        const asked = await askMeanwhile(url, client, async () => {
          await sleep(2_000);
          await labKill(`${project.name}/${host}`);
          await sleep(10_000);
        });
        expect(asked.length).toBeGreaterThan(60);
        expect(worstSecond(asked), JSON.stringify(asked.filter(({ problem }) => problem))).toBeLessThanOrEqual(1);
        await labStart(`${project.name}/${host}`);
      }
      const ready = `get pods -n traefik -o jsonpath='{.items[*].status.containerStatuses[*].ready}'`;
      await expect.poll(() => kubectl(project, ready), { timeout: 120_000 }).toBe('true true');
    },
  );

  test.runIf(whole)('announce an address by another node when one is lost', async () => {
    await kubectl(project, 'apply -f -', web);
    const address = () => kubectl(project, `get service web -o jsonpath='{.status.loadBalancer.ingress[0].ip}'`);
    await expect.poll(address, { timeout: 20_000 }).toMatch(/^10\.94\.10\.2\d\d$/);
    const url = `http://${await address()}/whoami`;
    // From this machine, which is no node: it asks the LAN.
    const answers = () =>
      fetch(url, { signal: AbortSignal.timeout(1_000) }).then(
        ({ ok }) => ok,
        () => false,
      );
    await expect.poll(answers, { timeout: 20_000 }).toBe(true);
    const node = await kubectl(
      project,
      `get servicel2statuses.metallb.io -A -l metallb.io/service-name=web -o jsonpath='{.items[*].metadata.labels.metallb\\.io/node}'`,
    );
    expect(['worker-00', 'worker-01']).toContain(node);
    await labKill(`${project.name}/${node}`);
    await expect.poll(answers, { timeout: 60_000 }).toBe(true);
    await labStart(`${project.name}/${node}`);
    await kubectl(project, 'delete ingress,service,pod web');
    // What follows is about healthy add-ons.
    await hasComeBack(project, node);
    // The API server's connection to a webhook's pod outlives the pod by up to a minute, until its pings are missed.
    const webhook = () => kubectl(project, '-n metallb-system annotate l2advertisements office x=y --dry-run=server');
    await expect.poll(() => webhook().catch(String), { timeout: 120_000 }).toMatch(/annotated/);
    await kubectl(project, 'wait --for=condition=Available apiservice/v1beta1.metrics.k8s.io --timeout=60s');
  });

  test('are removed, and nothing of them stays', async () => {
    // Not as long as load balancers lead to it.
    const { stderr } = await project.kbs('addons remove ingress --yes', { exit: 3 });
    expect(stderr).toContain('or delete this line');
    const without = inventory.replace(', ingress: true', '').replace('  ingress: { chart: ./traefik }\n', '');
    await project.write('kbs.yaml', without);
    const all = 'small storage metrics-server load-balancer-services';
    const kept = await project.kbs('addons remove small --yes --dry-run', { exit: 10 });
    expect(kept.stdout).toMatch(/the kinds that it brought stay, .*: widgets\.small\.example\.com/);
    const removed = await project.kbs(`addons remove ${all} --purge --yes --dry-run`, { exit: 10 });
    expect(removed.stdout).toMatch(/its claims go, and the data of pvc-\S+ \(small\/small\) are lost/);
    expect(removed.stdout.match(/- release \S+/g)).toEqual([
      '- release small/small',
      '- release traefik/traefik',
      '- release metallb-system/metallb-objects',
      '- release metallb-system/metallb',
      '- release kube-system/metrics-server',
      '- release local-path-storage/local-path-provisioner',
    ]);
    await project.kbs(`addons remove ${all} --purge --yes`);
    expect(await kubectl(project, 'get secrets -A -l owner=helm -o name')).toBe('');
    const namespaces = await kubectl(project, 'get namespaces -o name');
    expect(namespaces).not.toMatch(/small|local-path|metallb|traefik/);
    expect(await kubectl(project, 'get persistentvolumes -o name')).toBe('');
    expect(await kubectl(project, 'get crds -o name')).toBe('');
    expect(await project.on('worker-00', 'ctr -n k8s.io images ls -q')).not.toMatch(
      /busybox|metrics-server|local-path|metallb|traefik/,
    );
    expect(await project.on('controller-00', 'ls /usr/local/bin /run')).not.toMatch(/helm/);
    expect(linesOf(await plan(0))).toEqual([]);
  });

  test('have needed no registry, but for the image that cannot be had', async () => {
    const lines = await pulledImages(project, ['controller-00', 'worker-00', 'worker-01']);
    // The image that cannot be had is asked for by the test of an upgrade that fails.
    expect(lines.length > 0).toBe(whole);
    expect(lines.filter((line) => !line.includes('kbs.local/absent:1'))).toEqual([]);
  });
});

/** All pods of a node that was off run again; until kubelet has looked, they are said to be as they were. */
const hasComeBack = (project: Project, node: string): Promise<void> => {
  const restarts = `get pods -A --field-selector spec.nodeName=${node} -o jsonpath='{range .items[*].status.containerStatuses[*]}{.restartCount} {.ready}{"\\n"}{end}'`;
  return expect.poll(() => kubectl(project, restarts), { timeout: 120_000 }).toMatch(/^([1-9]\d* true\n?)+$/);
};

const vipHolder = async (project: Project): Promise<string> => {
  const holds = (host: string) => project.on(host, 'ip -o address show | grep -c 10.94.10.5/ || :');
  return (await holds('lb-00')).trim() === '1' ? 'lb-00' : 'lb-01';
};

/** Shell that succeeds once helm has begun to install metrics-server. */
const recorded =
  'kubectl --kubeconfig /etc/kubernetes/admin.conf -n kube-system get secrets -l name=metrics-server,status=pending-install -o name | grep -q .';

/** The lines of an object that differ: what is, then what is wanted. */
const texts = (change: Change | undefined, aspect: string): readonly string[] => {
  const { is = '', wanted = '' } = change?.differences.find((each) => each.aspect === aspect) ?? {};
  const only = (one: string, other: string) => one.split('\n').filter((line) => !other.split('\n').includes(line));
  return [...only(is, wanted), ...only(wanted, is)];
};

const releaseStarted =
  (id: string): Moment =>
  (event) =>
    event.type === 'change' && event.state === 'started' && event.change.kind === 'release' && event.change.id === id;
