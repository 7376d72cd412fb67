import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { referenceOf } from '../src/artifacts/artifacts.js';
import type { Bundle } from '../src/artifacts/bundle.js';
import { type ClusterHost, controlPlanes, isRouter, isWorker } from '../src/inventory/cluster.js';
import type { Site } from './site.js';

/** What one run of bench/kubeadm.sh took; each step with the seconds since the one before. */
export interface ScriptRun {
  readonly seconds: number;
  readonly steps: readonly { readonly name: string; readonly seconds: number }[];
}

/** Brings up the site with kubeadm.sh from what plain-files.ts made. Throws the script's output where it fails. */
export const runKubeadm = async (
  site: Site,
  { bundle, files, signal }: { readonly bundle: Bundle; readonly files: string; readonly signal: AbortSignal },
): Promise<ScriptRun> => {
  const began = performance.now();
  const { status, out, said } = await finished(environment(site, bundle, files), signal);
  const seconds = (performance.now() - began) / 1000;
  if (status !== 0) throw new Error(`${script} ended with ${status}:\n${out}${said}`);
  const steps = [...out.matchAll(/^step ([\d.]+) (.*)$/gm)].map(([, took, name = '']) => ({
    name,
    seconds: Number(took),
  }));
  return { seconds, steps };
};

const script = fileURLToPath(new URL('kubeadm.sh', import.meta.url));

const environment = ({ cluster }: Site, bundle: Bundle, files: string): NodeJS.ProcessEnv => {
  const line = (host: ClusterHost): string => {
    const gateway = cluster.network.segments.find(({ name }) => name === host.segment)?.gateway;
    return [host.name, host.address, gateway, host.podCidr].join(' ');
  };
  const tag = (name: Parameters<typeof referenceOf>[1]) => referenceOf(bundle, name).split(':').at(-1);
  const ssh = cluster.hosts[0]?.ssh;
  return {
    FILES: files,
    KEY: ssh?.keys[0],
    KNOWN_HOSTS: ssh?.knownHosts,
    CONTROLLER: controlPlanes(cluster).map(line)[0],
    WORKERS: cluster.hosts.filter(isWorker).map(line).join('\n'),
    ROUTER: cluster.hosts.find(isRouter)?.address,
    PODS: cluster.network.pods,
    SERVICES: cluster.network.services,
    KUBERNETES: tag('kube-apiserver'),
    ETCD: tag('etcd'),
    COREDNS: tag('coredns'),
    PAUSE: tag('pause'),
  };
};

const finished = (
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<{ status: number | null; out: string; said: string }> =>
  new Promise((resolve, reject) => {
    const child = spawn(script, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'], signal });
    let [out, said] = ['', ''];
    child.stdout.on('data', (piece) => (out += piece));
    child.stderr.on('data', (piece) => (said += piece));
    child.once('error', reject);
    child.once('close', (status) => resolve({ status, out, said }));
  });
