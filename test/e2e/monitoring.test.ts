import { get } from 'node:https';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Plan } from '../../src/engine/plan.js';
import { labKill, labStart } from '../../src/lab/index.js';
import type { CheckResult } from '../../src/verify/check-result.js';
import { readPage } from '../support/page.js';
import { kubectl } from './support/kubectl.js';
import { pageShell, withKubectl } from './support/page-shell.js';
import { linesOf, makeProject, type Project } from './support/project.js';
import { whole } from './support/whole.js';

const inventory = `apiVersion: kbs/v1
cluster: e2e-monitoring
kubernetes: { version: 1.36.3 }
network:
  segments:
    office: { cidr: 10.95.10.0/24, gateway: 10.95.10.1 }
endpoint: { vip: 10.95.10.5 }
dns: { zone: e2e.internal }
ssh: { user: root }
addons:
  storage: {}
  monitoring:
    chart: ./kube-prometheus-stack
    images: bundle
    timeout: 120
    values: { prometheus: { prometheusSpec: { scrapeInterval: 2s } } }
hosts:
  lb-00: { address: 10.95.10.3, roles: [load-balancer] }
  dns-00: { address: 10.95.10.4, roles: [dns] }
  controller-00: { address: 10.95.10.10, roles: [control-plane] }
  worker-00: { address: 10.95.10.20, roles: [worker] }
`;
const hosts = ['lb-00', 'dns-00', 'controller-00', 'worker-00'] as const;

/** One cluster, from before it exists until nothing reads its metrics any more. */
describe.runIf(whole)('monitoring', () => {
  let project: Project;

  beforeAll(async () => {
    project = await makeProject('e2e-monitoring', inventory);
    await project.addChart('kube-prometheus-stack');
    await project.kbs('lab up');
    await project.kbs('apply --yes');
  });
  afterAll(() => project?.remove());

  const plan = async (exit: number) => linesOf(await project.json<Plan>('plan', exit));
  const targets = async () => {
    const { findings } = await project.json<{ findings: readonly CheckResult[] }>('verify');
    const told = findings.filter(({ proof }) => proof === 'metrics targets');
    return Object.fromEntries(told.map(({ name, detail }) => [name, detail]));
  };
  const allUp = {
    'node-exporter': '4 of 4 up',
    'kube-etcd': '1 of 1 up',
    'kube-scheduler': '1 of 1 up',
    'kube-controller-manager': '1 of 1 up',
    haproxy: '1 of 1 up',
    'lan-dns': '1 of 1 up',
    apiserver: '1 of 1 up',
    coredns: expect.stringMatching(/^(\d) of \1 up$/),
    'kube-prometheus-stack-alertmanager': '1 of 1 up',
    'kube-prometheus-stack-kube-state-metrics': '1 of 1 up',
    'kube-prometheus-stack-operator': '1 of 1 up',
    'kube-prometheus-stack-prometheus': '1 of 1 up',
  };

  test('reads every component of every host, with pods or without', async () => {
    expect(await targets()).toEqual({ ...allUp, 'kube-proxy': '2 of 2 up', kubelet: '6 of 6 up' });
    expect(await plan(0)).toEqual([]);
  });

  test('is what the commands of docs/monitoring.md say, but for Grafana, which is not here', async () => {
    const run = await pageShell(project, {
      KUBECONFIG: join(project.folder, '.kbs', project.name, 'kubeconfig'),
      ring: join(project.folder, '.kbs', project.name, 'keyring/metrics'),
    });
    await withKubectl(project);
    const ran: string[] = [];
    for (const command of readPage('docs/monitoring.md').commands) {
      // The bundle is what the lab is made of.
      if (command === 'kbs bundle build --addons' || command.includes('grafana')) continue;
      ran.push(command);
      if (command === 'kbs apply') {
        expect(await run(`${command} --yes`)).toMatch(/^nothing to change/);
      } else if (command === 'kbs verify') {
        expect(await run(command)).toMatch(/metrics targets +kube-etcd +1 of 1 up/);
      } else if (command.includes('port-forward')) {
        const port = command.split(' ').at(-1);
        const ready = `curl -fs --retry 20 --retry-all-errors --retry-delay 1 http://127.0.0.1:${port}/-/ready`;
        expect(await run(`${command} > forward.log & trap "kill $!" EXIT; ${ready}`)).toMatch(/ready|OK/i);
      } else {
        expect(await run(command.replace('192.168.10.10', '10.95.10.10'))).toMatch(/^etcd_server_has_leader 1$/m);
      }
    }
    expect(ran).toHaveLength(5);
  });

  test('opens no port of a host that answers without a certificate', async () => {
    const loopback = /^(127\.0\.0\.1|\[::1\]):/;
    const open = await Promise.all(hosts.map((host) => project.on(host, `ss -Hltn | awk '{print $4}'`)));
    const told = open.flatMap((lines) => lines.split('\n')).filter((each) => !loopback.test(each));
    const ports = new Set(told.map((each) => Number(each.slice(each.lastIndexOf(':') + 1))));
    for (const port of [9445, 2381, 9153, 10249, 10257, 10259]) expect(ports).not.toContain(port);
    expect(ports).toContain(9444);
    expect(await answerOf('https://10.95.10.3:9444/node')).toMatch(/CERTIFICATE_REQUIRED/);
  });

  const firing = async () => {
    const path =
      '/api/v1/namespaces/monitoring/services/kube-prometheus-stack-alertmanager:http-web/proxy/api/v2/alerts';
    const alerts = JSON.parse(await kubectl(project, `get --raw ${path}`)) as readonly {
      readonly labels: { readonly alertname: string; readonly instance?: string };
    }[];
    return alerts.map(({ labels }) => `${labels.alertname} ${labels.instance}`);
  };

  test('goes on where components become units', async () => {
    const units = inventory.replace('version: 1.36.3', 'version: 1.36.3, controlPlane: systemd');
    await project.write('kbs.yaml', units);
    await project.kbs('apply --yes');
    expect(await targets()).toMatchObject({ 'kube-scheduler': '1 of 1 up', 'kube-etcd': '1 of 1 up' });
  });

  test('raises an alert when a host is lost, and takes it back', async () => {
    await labKill(`${project.name}/dns-00`);
    await expect.poll(firing, { timeout: 120_000, interval: 2_000 }).toContain('KbsHostDown dns-00');
    await labStart(`${project.name}/dns-00`);
    await expect.poll(firing, { timeout: 400_000, interval: 2_000 }).not.toContain('KbsHostDown dns-00');
  });

  test('is removed, and hosts hold nothing of it', async () => {
    await project.kbs('addons remove monitoring --yes');
    await project.kbs('apply --yes');
    for (const host of hosts) {
      const left = await project.on(
        host,
        'ls -d /etc/kbs/metrics /usr/local/lib/kbs/node-exporter 2>&1 || :; systemctl list-units "kbs-*"',
      );
      expect(left).not.toMatch(/^\/|kbs-metrics|kbs-node-exporter/m);
      expect(await project.on(host, 'ss -Hltn')).not.toMatch(/:944[45]/);
    }
    expect(await kubectl(project, 'get secrets -A -l owner=helm -o name')).not.toMatch(/prometheus/);
    expect(await plan(0)).toEqual([]);
  });
});

/** From this machine, which has no certificate: the status, or the code of the error. */
const answerOf = (url: string): Promise<string> =>
  new Promise((resolve) => {
    get(url, { rejectUnauthorized: false }, ({ statusCode }) => resolve(String(statusCode))).on('error', (error) =>
      resolve('code' in error ? String(error.code) : error.message),
    );
  });
