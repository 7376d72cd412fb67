import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { controlPlanes } from '../src/inventory/cluster.js';
import { setHollowNodes } from '../src/workflows/hollow.js';
import { up } from '../src/workflows/lab.js';
import { loadCluster } from '../src/workflows/load-cluster.js';
import { interruption } from './interruption.js';
import { runKbs } from './kbs.js';
import { onLab } from './on-lab.js';

/**
 * What a control plane costs at a size: its lab is brought up, given hollow nodes and pods on them, and then the CPU and
 * memory of its components are read on every control plane. As root, after `npm run build`:
 *
 *     npm run bench:hollow -- [-i FILE] [--nodes N] [--pods N] [--seconds N]
 *
 * Prints a table in Markdown. The lab is left standing.
 */
const { values } = parseArgs({
  options: {
    inventory: { type: 'string', short: 'i', default: 'inventories/ha.yaml' },
    nodes: { type: 'string', default: '500' },
    pods: { type: 'string', default: '5000' },
    seconds: { type: 'string', default: '60' },
  },
});
const [nodes, pods, seconds] = [Number(values.nodes), Number(values.pods), Number(values.seconds)];
const signal = interruption();
const say = (text: string): void => console.error(text);
const components = ['kube-apiserver', 'etcd', 'kube-controller', 'kube-scheduler'] as const;

await up(values.inventory, { install: false, guests: [] }, say);
await runKbs(['apply', '--yes', '-i', values.inventory], { signal });
const { cluster } = await loadCluster(values.inventory);
const hosts = controlPlanes(cluster).map(({ name }) => name);
const [first = ''] = hosts;

const rows = [row(['', 'control plane', 'component', 'CPU, share of one core', 'RSS, MB'])];
rows.push(row(['---', '---', '---', '--:', '--:']));
await sample('without them');
const began = Date.now();
await setHollowNodes(values.inventory, nodes, say);
await until(() => count("get nodes -l kbs.dev/hollow=true --no-headers | grep -c ' Ready '"), nodes);
say(`${nodes} nodes Ready after ${seconds1(began)} s`);
const scheduled = Date.now();
await on(first, 'kubectl --kubeconfig /etc/kubernetes/admin.conf apply -f -', JSON.stringify(deployment()));
await until(
  () => count("get pods -l app=hollow --field-selector status.phase=Running --no-headers | grep -c ''"),
  pods,
);
say(`${pods} pods Running after ${seconds1(scheduled)} s`);
await sample(`${nodes} nodes, ${pods} pods`);
console.log(rows.join('\n'));
const size = await on(first, 'du -sm /var/lib/etcd/member/snap/db | cut -f 1');
console.log(`\netcd's file: ${size.trim()} MB`);

/** CPU over the sampled time and RSS at its end, of every component on every control plane. */
async function sample(state: string): Promise<void> {
  const before = await Promise.all(hosts.map(costsOf));
  const from = Date.now();
  await sleep(seconds * 1000, undefined, { signal });
  const after = await Promise.all(hosts.map(costsOf));
  const took = (Date.now() - from) / 1000;
  for (const [index, host] of hosts.entries()) {
    for (const component of components) {
      const [was, is] = [before[index]?.[component], after[index]?.[component]];
      if (!was || !is) continue;
      rows.push(row([state, host, component, ((is.cpu - was.cpu) / took).toFixed(2), is.rss.toFixed(0)]));
    }
  }
}

interface Cost {
  /** Seconds since it started. */
  readonly cpu: number;
  /** MB. */
  readonly rss: number;
}

/** proc_pid_stat(5): fields 14 and 15 are CPU time in clock ticks, of which Linux counts 100 a second. */
async function costsOf(host: string): Promise<Readonly<Record<string, Cost>>> {
  const script = `for name in ${components.join(' ')}; do
  for pid in $(pgrep "^$name"); do
    echo "$name $(cut -d ' ' -f 14,15 /proc/$pid/stat) $(sed -n 's/^VmRSS:[[:space:]]*\\([0-9]*\\) kB/\\1/p' /proc/$pid/status)"
  done
done`;
  const lines = (await on(host, script)).split('\n').filter(Boolean);
  return Object.fromEntries(
    lines.map((line) => {
      const [name = '', user = 0, system = 0, kib = 0] = line.split(' ');
      return [name, { cpu: (Number(user) + Number(system)) / 100, rss: Number(kib) / 1024 }];
    }),
  );
}

function on(host: string, script: string, input = ''): Promise<string> {
  return onLab(`${cluster.name}/${host}`, script, { input, signal });
}

async function count(words: string): Promise<number> {
  return Number(await on(first, `kubectl --kubeconfig /etc/kubernetes/admin.conf ${words} || :`));
}

async function until(read: () => Promise<number>, wanted: number): Promise<void> {
  const deadline = Date.now() + 1_200_000;
  for (;;) {
    const now = await read();
    if (now >= wanted) return;
    if (Date.now() > deadline) throw new Error(`${now} of ${wanted} after 20 minutes`);
    await sleep(2_000, undefined, { signal });
  }
}

function deployment() {
  const labels = { app: 'hollow' };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'hollow', namespace: 'default' },
    spec: {
      replicas: pods,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          nodeSelector: { 'kbs.dev/hollow': 'true' },
          tolerations: [{ key: 'kbs.dev/hollow', operator: 'Exists' }],
          containers: [{ name: 'pause', image: 'registry.invalid/pause' }],
        },
      },
    },
  };
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

function seconds1(from: number): string {
  return ((Date.now() - from) / 1000).toFixed(1);
}
