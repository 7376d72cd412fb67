import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { referenceOf } from '../../src/artifacts/artifacts.js';
import { defaultBundle, openBundle } from '../../src/artifacts/bundle.js';
import type { Plan } from '../../src/engine/plan.js';
import type { Resource } from '../../src/resources/resource.js';
import type { CheckResult } from '../../src/verify/check-result.js';
import { freePort } from '../support/sshd.js';
import { containers, kubectl, kubectlHere, readyNodes } from './support/kubectl.js';
import { linesOf, makeProject, type Project } from './support/project.js';
import { eventually, readyz } from './support/readyz.js';
import { loginsOf, tracesOf } from './support/traces.js';
import { whole } from './support/whole.js';

const spare = 'spare: { address: 10.80.20.30, roles: [worker] }';

const inventory = `# The e2e cluster: this comment stays.
apiVersion: kbs/v1
cluster: e2e-cluster
kubernetes: { version: 1.36.3 }
network:
  pods: 10.244.0.0/16
  services: 10.254.0.0/16
  segments:
    office: { cidr: 10.80.10.0/24, gateway: 10.80.10.1 } # so does this one
    rack: { cidr: 10.80.20.0/24, gateway: 10.80.20.1 }
ssh: { user: root }
hosts:
  controller-00: { address: 10.80.10.10, roles: [control-plane] }
  worker-office-00: { address: 10.80.10.20, roles: [worker] }
  worker-rack-00: { address: 10.80.20.20, roles: [worker], labels: { tier: rack } }
  # and this
  edge: { roles: [router], address: 10.80.10.1, addresses: { office: 10.80.10.1, rack: 10.80.20.1 } }
`;

const hosts = ['controller-00', 'worker-office-00', 'worker-rack-00', 'edge'];

/** One cluster's life, from before it exists: each test goes on from where the one before it left off. */
describe('a cluster of two segments', () => {
  let project: Project;
  let firstRendering: string;

  beforeAll(async () => {
    project = await makeProject('e2e-cluster', inventory);
    await project.write('lab.yaml', `${inventory}  ${spare}\n`);
  });
  afterAll(() => project?.remove());

  const plan = (exit: number) => project.json<Plan>('plan', exit);

  describe('that does not exist yet', () => {
    test('is rendered by a dry run that contacts no host: units, static pods, the kubelet configuration', async () => {
      const { stdout } = await project.kbs('init --dry-run -o yaml');
      const documents = parseAllDocuments(stdout).map((document): Shown => document.toJS());
      expect(new Set(documents.map(({ host }) => host))).toEqual(new Set(['controller-00', 'edge']));
      const all = documents.filter(({ host }) => host === 'controller-00').flatMap(({ resources }) => resources);
      const units = all.flatMap((resource) => (resource.kind === 'unit' ? [resource.name] : []));
      expect(units).toEqual(['containerd.service', 'kubelet.service', 'kbs-firewall.service', 'kbs-routes.service']);
      const files = new Map(all.flatMap((one) => (one.kind === 'file' ? [[one.path, String(one.content)]] : [])));
      for (const name of ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler']) {
        const pod: unknown = parse(files.get(`/etc/kubernetes/manifests/${name}.yaml`) ?? '');
        expect(pod).toMatchObject({ kind: 'Pod', metadata: { name }, spec: { hostNetwork: true } });
      }
      expect(parse(files.get('/var/lib/kubelet/config.yaml') ?? '')).toMatchObject({ kind: 'KubeletConfiguration' });
      expect(stdout).not.toContain('PRIVATE KEY');
    });

    test('is rendered twice into the same tree, without a secret', async () => {
      await project.kbs('render one');
      await project.kbs('render two');
      firstRendering = await treeOf(join(project.folder, 'one'));
      expect(await treeOf(join(project.folder, 'two'))).toBe(firstRendering);
      expect(firstRendering).toContain('controller-00/etc/kubernetes/manifests/kube-apiserver.yaml');
      expect(firstRendering).not.toContain('PRIVATE KEY');
    });

    test('leaves no state behind when it is only looked at', async () => {
      expect((await readdir(project.folder)).toSorted()).toEqual(['kbs.yaml', 'lab.yaml', 'one', 'two']);
    });
  });

  describe('on bare hosts', () => {
    test('gets its hosts from the lab', async () => {
      await project.kbs('lab up -i lab.yaml');
    });

    test('is planned with exit status 10 and without touching a host', async () => {
      const before = await Promise.all(hosts.map((host) => tracesOf(project, host)));
      const found = await plan(10);
      const creations = found.hosts.flatMap(({ phases }) => phases.flatMap(({ changes }) => changes));
      expect(creations.filter(({ action }) => action === 'create').length).toBeGreaterThan(100);
      expect(await Promise.all(hosts.map((host) => tracesOf(project, host)))).toEqual(before);
    });

    test('comes up by init and join', async () => {
      await project.kbs('init --yes');
      expect(await readyNodes(project)).toEqual(['controller-00']);
      await project.kbs('join --yes');
      expect(await readyNodes(project)).toEqual(['controller-00', 'worker-office-00', 'worker-rack-00']);
    });
  });

  describe('that is up', () => {
    test('is proven: every pair of segments, Services, names, path MTU, the API', async () => {
      const findings = await verified(project);
      expect(pairsIn(findings, 'pod to pod')).toEqual(['office → office', 'office → rack', 'rack → office']);
      expect(pairsIn(findings, 'path MTU')).toEqual(pairsIn(findings, 'pod to pod'));
      const nodes = ['controller-00', 'worker-office-00', 'worker-rack-00'];
      for (const proof of ['Service from pods', 'Service from hosts', 'API endpoint']) {
        expect(namesIn(findings, proof)).toEqual(nodes);
      }
      for (const node of nodes) {
        const names = findings.filter(({ proof, name }) => proof === 'DNS' && name.startsWith(node));
        expect(names.map(({ name }) => name.replace(/^.*: (\S+) is .*$/, '$1'))).toEqual([
          'probe',
          expect.stringMatching(/^probe\..*\.svc\.cluster\.local$/),
          'kubernetes.default',
        ]);
      }
    });

    test('is left alone by a second apply, in one line and one command for each host', async () => {
      const { stdout } = await project.kbs('apply --yes');
      expect(stdout).toBe('nothing to change: 4 hosts are as the inventory says\n');
      const { commands } = await project.json<{ commands: Record<string, number> }>('apply --yes');
      expect(commands).toEqual(Object.fromEntries(hosts.map((host) => [host, 1])));
      expect(linesOf(await plan(0))).toEqual([]);
    });

    test('has the certificates that kubeadm looks for, and each is signed by its CA', async () => {
      const checked = await project.on('controller-00', 'kubeadm certs check-expiration 2>&1');
      expect(checked).not.toContain('Falling back');
      // super-admin.conf bypasses RBAC, so it stays with the operator.
      expect(checked.match(/^!MISSING!.*$/gm)?.map((line) => line.trim())).toEqual(['!MISSING! super-admin.conf']);
      expect(checked.match(/\b3\d\dd\b/g)).toHaveLength(10);
      await verifyCertificates(project);
    });

    test('gives a kubeconfig that opens its API from here', async () => {
      const { stdout } = await project.kbs('kubeconfig');
      expect(await readyz(stdout)).toEqual({ status: 200, text: 'ok' });
    });

    test('says in its status that it is healthy', async () => {
      const status = await project.json<{ healthy: boolean; hosts: readonly { routes: string }[] }>('status');
      expect(status).toMatchObject({ healthy: true, version: '1.36.3' });
      for (const { routes } of status.hosts) expect(routes).toMatch(/^(\d+)\/\1$/);
    });
  });

  describe('that people have access to', () => {
    let as: Awaited<ReturnType<typeof kubectlHere>>;
    const tokenIn = async (file: string): Promise<string> =>
      parse(await readFile(join(project.folder, file), 'utf8')).users[0].user.token;

    beforeAll(async () => {
      as = await kubectlHere(project);
      await kubectl(project, 'create namespace shop');
      await kubectl(project, 'create rolebinding devs --clusterrole=view --group=developers -n default');
    });

    test('lets a viewer see pods everywhere, and neither delete them nor read Secrets', async () => {
      expect(linesOf(await project.json<Plan>('kubeconfig --user anna --dry-run', 10))).toEqual([
        'controller-00 grant operation grant anna',
      ]);
      await project.kbs('kubeconfig --user anna -o anna.kubeconfig --yes');
      expect((await stat(join(project.folder, 'anna.kubeconfig'))).mode & 0o777).toBe(0o600);
      expect((await as('anna.kubeconfig', 'get pods -A')).stdout).toContain('kube-apiserver-controller-00');
      for (const words of ['delete pod -n kube-system kube-apiserver-controller-00', 'get secrets -A', 'get nodes']) {
        expect(await as('anna.kubeconfig', words)).toMatchObject({
          code: 1,
          stderr: expect.stringContaining('Forbidden'),
        });
      }
    });

    test('confines an editor to a namespace, in which kubectl works without being told', async () => {
      await project.kbs('kubeconfig --user ben --role edit --namespace shop -o ben.kubeconfig --yes');
      expect(await as('ben.kubeconfig', 'create configmap mine')).toMatchObject({ code: 0 });
      expect(await as('ben.kubeconfig', 'get configmap mine -n shop')).toMatchObject({ code: 0 });
      for (const words of ['get pods -n default', 'get configmaps -n kube-system', 'get secrets -A']) {
        expect(await as('ben.kubeconfig', words)).toMatchObject({
          code: 1,
          stderr: expect.stringContaining('Forbidden'),
        });
      }
    });

    test('counts the groups that were given, and no other, beside the rights that were there', async () => {
      await project.kbs('kubeconfig --user ben --group developers -o ben.kubeconfig --yes');
      for (const words of [
        'get pods -n default',
        'get configmap mine',
        'delete configmap mine',
        'create configmap his',
      ]) {
        expect(await as('ben.kubeconfig', words)).toMatchObject({ code: 0 });
      }
      expect(await as('ben.kubeconfig', 'get pods -n kube-system')).toMatchObject({ code: 1 });
      for (const other of ['--as-group=system:masters', '--as=system:serviceaccount:kube-system:ben', '--as=admin']) {
        expect(await as('ben.kubeconfig', `get secrets -A ${other}`)).toMatchObject({
          code: 1,
          stderr: expect.stringContaining('cannot impersonate'),
        });
      }
    });

    test('lists them, and ends their access at once', async () => {
      const { users } = await project.json<{ users: readonly object[] }>('users list');
      expect(users).toMatchObject([
        { name: 'anna', groups: [], rights: [{ role: 'view' }] },
        { name: 'ben', groups: ['developers'], rights: [{ role: 'edit', namespace: 'shop' }] },
      ]);
      for (const name of ['anna', 'ben']) await project.kbs(`users remove ${name} --yes`);
      for (const [file, words] of [
        ['anna.kubeconfig', 'get pods -A'],
        ['ben.kubeconfig', 'get configmap his'],
        ['ben.kubeconfig', 'get pods -n default'],
      ] as const) {
        expect(await as(file, words)).toMatchObject({ code: 1, stderr: expect.stringMatching(/Forbidden|logged in/) });
      }
      const left = 'rolebindings,clusterrolebindings,roles,clusterroles,serviceaccounts -A -l kbs.dev/user -o name';
      expect(await kubectl(project, `get ${left}`)).toBe('');
    });

    test('serves the API through SSH until Ctrl-C', async () => {
      const port = await freePort();
      const running = project.start(`proxy --port ${port}`);
      const kubeconfig = join(project.folder, `.kbs/${project.name}/proxy-${port}.kubeconfig`);
      await eventually(() => stat(kubeconfig).then(() => {}));
      expect(await readFile(kubeconfig, 'utf8')).toContain(`server: "https://127.0.0.1:${port}"`);
      const { stdout } = await as(kubeconfig, 'get nodes -o name');
      expect(stdout.split('\n')).toEqual(['node/controller-00', 'node/worker-office-00', 'node/worker-rack-00']);
      running.kill('SIGINT');
      expect(await running.ended).toMatchObject({ code: 0, stdout: `export KUBECONFIG=${kubeconfig}\n` });
      await expect(stat(kubeconfig)).rejects.toThrow('ENOENT');
    });

    test('knows no token of a person who was removed, even if one of that name comes again', async () => {
      const unknown = { code: 1, stderr: expect.stringContaining('You must be logged in to the server') };
      await eventually(async () => expect(await as('anna.kubeconfig', 'get pods -A')).toMatchObject(unknown));
      await project.kbs('kubeconfig --user anna -o again.kubeconfig --yes');
      expect(await as('again.kubeconfig', 'get pods -A')).toMatchObject({ code: 0 });
      expect(await as('anna.kubeconfig', 'get pods -A')).toMatchObject(unknown);
      const said = await treeOf(join(project.folder, '.kbs', project.name, 'journal'));
      for (const file of ['anna.kubeconfig', 'again.kubeconfig']) {
        expect(said).not.toContain((await tokenIn(file)).slice(-40));
      }
      await project.kbs('users remove anna --yes');
      await kubectl(project, 'delete namespace shop --wait=false');
    });
  });

  describe('that people have meddled with', () => {
    test('is planned with exactly what differs, and repaired without touching anything else', async () => {
      const before = await conditionOf(project);
      for (const { host, harm } of faults) await project.on(host, harm);
      expect(linesOf(await plan(10))).toEqual(faults.map(({ shown }) => shown).toSorted());
      await project.kbs('apply --yes');
      expect(linesOf(await plan(0))).toEqual([]);
      const repaired = faults.map(({ repairs }) => repairs);
      const others = (lines: readonly string[]) =>
        lines.filter((line) => !repaired.some((path) => line.includes(path)));
      const after = await conditionOf(project);
      expect(others(after.onHosts)).toEqual(others(before.onHosts));
      // A mirror pod may be late to show a container, never to lose one.
      expect(after.containers).toEqual(expect.arrayContaining([...others(before.containers)]));
    });
  });

  describe('whose inventory marks a node', () => {
    const plain = 'worker-office-00: { address: 10.80.10.20, roles: [worker] }';
    const marked = plain.replace(' }', ', labels: { tier: office }, taints: ["dedicated=x:PreferNoSchedule"] }');
    const node = async () =>
      JSON.parse(await kubectl(project, 'get node worker-office-00 -o json')) as {
        readonly metadata: { readonly labels: Readonly<Record<string, string>> };
        readonly spec: { readonly taints?: readonly { readonly key: string }[] };
      };

    test.runIf(whole)('gives it labels and taints, takes them away again, and leaves those of others', async () => {
      await kubectl(project, 'label node worker-office-00 theirs=yes');
      await kubectl(project, 'taint node worker-office-00 theirs=yes:PreferNoSchedule');
      await project.write('kbs.yaml', inventory.replace(plain, marked));
      await project.kbs('apply --yes --limit controller-00,worker-office-00');
      const between = await node();
      expect(between.metadata.labels).toMatchObject({
        tier: 'office',
        theirs: 'yes',
        'node-role.kubernetes.io/worker': '',
        // The lab's hosts are those of systemd-nspawn.
        'kbs.dev/machine': 'container',
      });
      expect(between.spec.taints?.map(({ key }) => key).toSorted()).toEqual(['dedicated', 'theirs']);
      await project.write('kbs.yaml', inventory);
      await project.kbs('apply --yes --limit controller-00,worker-office-00');
      const after = await node();
      expect(after.metadata.labels).toMatchObject({ theirs: 'yes' });
      expect(after.metadata.labels).not.toHaveProperty('tier');
      expect(after.spec.taints?.map(({ key }) => key)).toEqual(['theirs']);
      expect(linesOf(await plan(0))).toEqual([]);
      await kubectl(project, 'taint node worker-office-00 theirs-');
    });
  });

  describe('under work', () => {
    beforeAll(async () => {
      const image = referenceOf(await openBundle(defaultBundle('1.36.3')), 'probe');
      await kubectl(project, 'apply -f -', JSON.stringify(deployment(image)));
      await kubectl(project, 'rollout status deployment/work --timeout=90s');
    });

    test('keeps its Service addresses while kube-proxy is restarted', async () => {
      const [before = 0, least = 0, oldPid, newPid] = (await project.on('worker-rack-00', killProxy))
        .split(' ')
        .map(Number);
      expect(before).toBeGreaterThan(3);
      expect(least).toBe(before);
      expect(newPid).not.toBe(oldPid);
      await verified(project);
    });

    test('keeps its pods running while containerd and a kubelet are restarted', async () => {
      const before = await containers(project);
      await project.on('worker-office-00', 'systemctl restart containerd; sleep 2; systemctl restart kubelet; sleep 3');
      await project.on('controller-00', 'systemctl restart kubelet; sleep 2; systemctl restart containerd; sleep 3');
      await verified(project);
      // A mirror pod may be late to show a container, never to lose one.
      expect(await containers(project)).toEqual(expect.arrayContaining([...before]));
      expect(linesOf(await plan(0))).toEqual([]);
    });
  });

  describe('that grows', () => {
    test('joins a new worker: into the inventory, into the cluster, without touching hosts that need no change', async () => {
      const logins = await loginsOf(project, 'worker-office-00');
      const { commands } = await project.json<{ commands: Record<string, number> }>(
        'join spare=root@10.80.20.30 --yes',
      );
      expect(await loginsOf(project, 'worker-office-00')).toBe(logins + 1); // this very question
      expect(Object.keys(commands).toSorted()).toEqual(['controller-00', 'edge', 'spare', 'worker-rack-00']);
      expect(await readFile(join(project.folder, 'kbs.yaml'), 'utf8')).toBe(`${inventory}  ${spare}\n`);
      expect(await readyNodes(project)).toEqual(['controller-00', 'spare', 'worker-office-00', 'worker-rack-00']);
      expect(linesOf(await plan(0))).toEqual([]);
      expect(pairsIn(await verified(project), 'pod to pod')).toContain('rack → rack');
    });
  });

  test('has kept its secrets out of journals, results and renderings', async () => {
    await project.kbs('render three');
    const said = [
      await treeOf(join(project.folder, '.kbs', project.name, 'journal')),
      await treeOf(join(project.folder, 'three')),
      (await project.kbs('plan -v')).stdout,
    ];
    for (const secret of await secretsOf(project)) {
      for (const text of said) expect(text.includes(secret)).toBe(false);
    }
  });
});

/** One document of `--dry-run -o yaml`. */
interface Shown {
  readonly host: string;
  readonly phase: string;
  readonly resources: readonly Resource[];
}

interface Fault {
  readonly host: string;
  readonly harm: string;
  /** The line of the plan that names it. */
  readonly shown: string;
  /** What the repair changes, as part of a line of a `Condition`. */
  readonly repairs: string;
}

const faults: readonly Fault[] = [
  {
    host: 'controller-00',
    harm: 'rm /etc/kubernetes/manifests/kube-scheduler.yaml',
    shown: 'controller-00 control-plane file /etc/kubernetes/manifests/kube-scheduler.yaml',
    repairs: 'kube-scheduler',
  },
  {
    host: 'controller-00',
    harm: `kubectl --kubeconfig /etc/kubernetes/admin.conf -n kube-system patch configmap coredns --type merge -p '{"data":{"Corefile":".:53 {\\n  errors\\n  ready\\n}\\n"}}'`,
    shown: 'controller-00 dns object coredns',
    repairs: '(no file)',
  },
  {
    host: 'controller-00',
    harm: 'kubectl --kubeconfig /etc/kubernetes/admin.conf label node worker-rack-00 tier-',
    shown: 'controller-00 nodes object nodes',
    repairs: '(no file)',
  },
  {
    host: 'worker-office-00',
    harm: 'systemctl stop kubelet',
    shown: 'worker-office-00 kubelet unit kubelet.service',
    repairs: 'worker-office-00 kubelet.service',
  },
  {
    host: 'worker-office-00',
    harm: 'sed -i s/portmap/hostport/ /etc/cni/net.d/10-kbs.conflist',
    shown: 'worker-office-00 cni file /etc/cni/net.d/10-kbs.conflist',
    repairs: 'worker-office-00 /etc/cni/net.d/10-kbs.conflist',
  },
  {
    host: 'worker-office-00',
    harm: 'echo 0 > /proc/sys/net/ipv4/conf/all/rp_filter',
    shown: 'worker-office-00 prepare sysctl net.ipv4.conf.all.rp_filter',
    repairs: 'worker-office-00 /etc/sysctl.d/zz-kbs-net.ipv4.conf.all.rp_filter.conf',
  },
  {
    host: 'worker-office-00',
    harm: 'ip route del 10.244.64.0/18',
    shown: 'worker-office-00 routes route 10.244.64.0/18',
    repairs: '(no file)',
  },
  {
    host: 'worker-rack-00',
    harm: 'nft flush table ip kbs',
    shown: 'worker-rack-00 cni nft-table ip kbs',
    repairs: '(no file)',
  },
  {
    host: 'worker-rack-00',
    harm: 'rm /usr/local/bin/runc',
    shown: 'worker-rack-00 runtime binary /usr/local/bin/runc',
    repairs: 'worker-rack-00 /usr/local/bin/runc',
  },
  {
    host: 'worker-rack-00',
    harm: "sed -i '/# kbs/d' /etc/hosts",
    shown: 'worker-rack-00 prepare hosts-entry worker-rack-00',
    repairs: 'worker-rack-00 /etc/hosts',
  },
  {
    host: 'worker-rack-00',
    harm: 'chmod 0644 /var/lib/kubelet/pki/kubelet.key',
    shown: 'worker-rack-00 certificates file /var/lib/kubelet/pki/kubelet.key',
    repairs: 'worker-rack-00 /var/lib/kubelet/pki/kubelet.key',
  },
  {
    host: 'edge',
    harm: 'ip route del $(ip -4 route show | grep -o "^10.244.[0-9.]*/24" | tail -n 1)',
    shown: 'edge routes route 10.244.84.0/24',
    repairs: '(no file)',
  },
];

/** Everything that must not change without a reason: files and since when they are so, main processes, containers. */
interface Condition {
  readonly onHosts: readonly string[];
  readonly containers: readonly string[];
}

const conditionOf = async (project: Project): Promise<Condition> => {
  const script = `find /etc /usr/local /opt /var/lib/kubelet/config.yaml /var/lib/kubelet/pki -xdev -type f -printf '%p %m %C@\\n' 2>/dev/null || :
for unit in containerd kubelet kbs-routes kbs-firewall ssh; do echo "$unit.service $(systemctl show -p MainPID,ExecMainStartTimestamp --value $unit.service | tr '\\n' ' ')"; done
ip -4 route show; nft --stateless list tables`;
  const lines = await Promise.all(
    hosts.map(async (host) => (await project.on(host, script)).split('\n').map((line) => `${host} ${line}`)),
  );
  return { onHosts: lines.flat().toSorted(), containers: await containers(project) };
};

/** Kills kube-proxy and watches the map of Service addresses until some time after its successor has started. */
const killProxy = `
count() { nft list map ip kube-proxy service-ips | grep -c goto || :; }
before=$(count) least=$(count) old=$(pgrep -x kube-proxy) new=
kill "$old"
rest=20 tries=240
while [ $rest -gt 0 ] && [ $tries -gt 0 ]; do
  now=$(count)
  if [ "$now" -lt "$least" ]; then least=$now; fi
  new=$(pgrep -x kube-proxy || :)
  if [ -n "$new" ] && [ "$new" != "$old" ]; then rest=$((rest - 1)); fi
  tries=$((tries - 1))
  sleep 0.25
done
echo "$before $least $old $new"`;

const deployment = (image: string) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'work', namespace: 'default' },
  spec: {
    replicas: 4,
    selector: { matchLabels: { app: 'work' } },
    template: {
      metadata: { labels: { app: 'work' } },
      spec: {
        containers: [
          { name: 'work', image, args: ['8080'], readinessProbe: { httpGet: { path: '/whoami', port: 8080 } } },
        ],
      },
    },
  },
});

/** What `verify` finds, all of it well. */
const verified = async (project: Project): Promise<readonly CheckResult[]> => {
  const { findings } = await project.json<{ findings: readonly CheckResult[] }>('verify');
  expect(findings.filter(({ ok }) => !ok)).toEqual([]);
  return findings;
};

/** The ordered pairs of segments that a proof is about. */
const pairsIn = (findings: readonly CheckResult[], proof: string): readonly string[] => {
  const pairs = findings.flatMap((finding) => {
    const [, from, to] = /\((\w+)\) → .* \((\w+)\)/.exec(finding.name) ?? [];
    return finding.proof === proof ? [`${from} → ${to}`] : [];
  });
  return [...new Set(pairs)].toSorted();
};

/** The hosts that a proof was asked from. */
const namesIn = (findings: readonly CheckResult[], proof: string): readonly string[] =>
  findings.flatMap(({ proof: of, name }) => (of === proof ? [name.split(' ')[0] ?? ''] : [])).toSorted();

/** A folder's files, each with its name, as one text. */
const treeOf = async (folder: string): Promise<string> => {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const texts = files
    .toSorted()
    .map(async (file) => `${file.slice(folder.length + 1)}\n${await readFile(file, 'utf8')}`);
  return (await Promise.all(texts)).join('\n');
};

/** A line of the middle of each key in the keyring: it stands in every copy, whatever is around it. */
const secretsOf = async (project: Project): Promise<readonly string[]> => {
  const keyring = join(project.folder, '.kbs', project.name, 'keyring');
  const keys = (await readdir(keyring, { recursive: true })).filter((name) => name.endsWith('.key'));
  expect(keys.length).toBeGreaterThan(10);
  const texts = await Promise.all(keys.map((name) => readFile(join(keyring, name), 'utf8')));
  return texts.flatMap((text) => [text.trim().split('\n').at(1) ?? text.trim()]).map((line) => line.slice(0, 40));
};

/** Certificates as they lie on the control plane, and the CA that must have signed each. */
const verifyCertificates = async (project: Project): Promise<void> => {
  const read = (path: string) => project.on('controller-00', `cat /etc/kubernetes/pki/${path}`);
  const signed: readonly (readonly [string, readonly string[]])[] = [
    ['ca.crt', ['apiserver.crt', 'apiserver-kubelet-client.crt', '../../../var/lib/kubelet/pki/kubelet.crt']],
    ['etcd/ca.crt', ['etcd/server.crt', 'etcd/peer.crt', 'etcd/healthcheck-client.crt', 'apiserver-etcd-client.crt']],
    ['front-proxy-ca.crt', ['front-proxy-client.crt']],
  ];
  for (const [ca, certificates] of signed) {
    await project.write('ca.pem', await read(ca));
    for (const name of certificates) {
      const { stdout } = await execa('openssl', ['verify', '-x509_strict', '-CAfile', join(project.folder, 'ca.pem')], {
        input: await read(name),
      });
      expect(stdout).toContain('OK');
    }
  }
};
