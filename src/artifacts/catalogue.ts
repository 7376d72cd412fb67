import { Failure } from '../failure.js';
import { objectsChart } from './artifacts.js';
import {
  cniPlugin,
  containerdProgram,
  empty,
  goProgram,
  image,
  kubernetesProgram,
  layer,
  metallbProgram,
  metricsServerProgram,
  nvidiaProgram,
  ofOneProgram,
  prometheusProgram,
} from './recipes.js';
import type { LayerRecipe, Release } from './release.js';

/** Every Kubernetes version that kbs knows how to make, the newest first, without a leading v. */
export const knownVersions = (): readonly string[] => releases.map((release) => release.kubernetes);

/** What a cluster of that version is made of; undefined where the catalogue does not know it. */
export const releaseOf = (version: string): Release | undefined =>
  releases.find((release) => release.kubernetes === version);

/** The same; a version that the catalogue does not know is a Failure. */
export const known = (version: string): Release => {
  const release = releaseOf(version);
  if (release) return release;
  throw new Failure('usage', `the catalogue does not know Kubernetes ${version}`, {
    why: [`it knows ${knownVersions().join(', ')}`],
  });
};

const kubernetes_1_36_3 = (): Release => {
  const version = '1.36.3';
  const etcd = '3.7.3';
  const containerd = '2.4.2';
  const runc = '1.5.2';
  const cni = '1.9.1';
  const coredns = '1.15.0';
  const pause = '1.0';
  const probe = '1.0';
  const gpuProbe = '1.0';
  const nvidiaToolkit = '1.20.2';
  const nvidiaPlugin = '0.18.2';
  const helm = '4.3.1';
  const metricsServer = '0.9.0';
  const localPath = '0.0.30';
  const busybox = '1.0';
  const metallb = '0.15.2';
  const traefik = '3.6.12';
  const prometheus = '3.16.0';
  const prometheusOperator = '0.85.0';
  const alertmanager = '0.28.1';
  const nodeExporter = '1.12.1';
  const kubeStateMetrics = '2.20.0';
  const objects = '1.0';
  const kubernetes = kubernetesProgram({ version, built: '2026-07-22T18:07:38Z' });
  return {
    kubernetes: version,
    programs: [
      { language: 'c', name: 'pause', version: pause, folder: `pause-${pause}`, from: 'kbs' },
      goProgram({ name: 'unzstd', version: '1.0', package: '.', from: 'github.com/klauspost/compress v1.20.0' }),
      ...['bridge', 'host-local', 'loopback', 'portmap', 'bandwidth'].map((plugin) => cniPlugin(plugin, cni)),
      goProgram({
        name: 'runc',
        version: runc,
        package: 'github.com/opencontainers/runc',
        libraries: ['libseccomp-dev'],
        from: `github.com/opencontainers/runc v${runc}`,
        stamps: { 'main.gitCommit': `v${runc}` },
        tags: ['seccomp', 'urfave_cli_no_docs'],
        cgo: 'static',
      }),
      ...['containerd', 'containerd-shim-runc-v2', 'ctr'].map((name) => containerdProgram(name, containerd)),
      goProgram({
        name: 'etcd',
        version: etcd,
        package: 'go.etcd.io/etcd/server/v3',
        from: `go.etcd.io/etcd/server/v3 v${etcd}`,
        stamps: { 'go.etcd.io/etcd/api/v3/version.GitSHA': `v${etcd}` },
      }),
      goProgram({
        name: 'etcdctl',
        version: etcd,
        package: 'go.etcd.io/etcd/etcdctl/v3',
        from: `go.etcd.io/etcd/etcdctl/v3 v${etcd}`,
        stamps: { 'go.etcd.io/etcd/api/v3/version.GitSHA': `v${etcd}` },
      }),
      goProgram({
        name: 'etcdutl',
        version: etcd,
        package: 'go.etcd.io/etcd/etcdutl/v3',
        from: `go.etcd.io/etcd/etcdutl/v3 v${etcd}`,
        stamps: { 'go.etcd.io/etcd/api/v3/version.GitSHA': `v${etcd}` },
      }),
      goProgram({
        name: 'coredns',
        version: coredns,
        package: '.',
        from: `github.com/coredns/coredns v${coredns}`,
        stamps: { 'github.com/coredns/coredns/coremain.GitCommit': `v${coredns}` },
      }),
      kubernetes('control-plane', './control-plane'),
      kubernetes('kube-proxy', 'k8s.io/kubernetes/cmd/kube-proxy'),
      kubernetes('kubelet', 'k8s.io/kubernetes/cmd/kubelet'),
      kubernetes('kubectl', 'k8s.io/kubernetes/cmd/kubectl'),
      kubernetes('kubeadm', 'k8s.io/kubernetes/cmd/kubeadm'),
      ...['nvidia-ctk', 'nvidia-cdi-hook'].map((name) =>
        nvidiaProgram(
          {
            name,
            version: nvidiaToolkit,
            folder: `nvidia-container-toolkit-${nvidiaToolkit}`,
            package: `cmd/${name}`,
          },
          'github.com/NVIDIA/nvidia-container-toolkit',
        ),
      ),
      nvidiaProgram(
        {
          name: 'nvidia-device-plugin',
          version: nvidiaPlugin,
          folder: `nvidia-device-plugin-${nvidiaPlugin}`,
          package: 'cmd/nvidia-device-plugin',
        },
        'github.com/NVIDIA/k8s-device-plugin',
      ),
      goProgram({ name: 'probe', version: probe, package: '.', from: 'kbs' }),
      goProgram({ name: 'gpu-probe', version: gpuProbe, package: '.', from: 'kbs', cgo: 'dynamic' }),
      goProgram({
        name: 'helm',
        version: helm,
        package: 'helm.sh/helm/v4/cmd/helm',
        from: `helm.sh/helm/v4 v${helm}`,
        stamps: { 'helm.sh/helm/v4/internal/version.version': `v${helm}` },
      }),
      metricsServerProgram(metricsServer),
      goProgram({
        name: 'local-path-provisioner',
        version: localPath,
        package: 'github.com/rancher/local-path-provisioner',
        from: `github.com/rancher/local-path-provisioner v${localPath}`,
        stamps: { 'main.VERSION': `v${localPath}` },
      }),
      ...(['controller', 'speaker'] as const).map((name) => metallbProgram(name, metallb)),
      goProgram({
        name: 'traefik',
        version: traefik,
        package: 'github.com/traefik/traefik/v3/cmd/traefik',
        from: `github.com/traefik/traefik/v3 v${traefik}`,
        stamps: { 'github.com/traefik/traefik/v3/pkg/version.Version': `v${traefik}` },
      }),
      prometheusProgram(
        {
          name: 'prometheus',
          version: prometheus,
          package: 'cmd/prometheus',
          tags: ['remove_all_sd', 'enable_kubernetes_sd'],
        },
        // Its module has no major version above 1: 3.16.0 is v0.316.0 there.
        'github.com/prometheus/prometheus v0.316.0',
      ),
      ...[
        ['prometheus-operator', 'cmd/operator'] as const,
        ['prometheus-config-reloader', 'cmd/prometheus-config-reloader'] as const,
      ].map(([name, command]) =>
        prometheusProgram(
          { name, version: prometheusOperator, package: command, folder: `prometheus-operator-${prometheusOperator}` },
          `github.com/prometheus-operator/prometheus-operator v${prometheusOperator}`,
        ),
      ),
      prometheusProgram(
        { name: 'alertmanager', version: alertmanager, package: 'cmd/alertmanager' },
        `github.com/prometheus/alertmanager v${alertmanager}`,
      ),
      prometheusProgram(
        { name: 'kube-state-metrics', version: kubeStateMetrics, package: '' },
        `k8s.io/kube-state-metrics/v2 v${kubeStateMetrics}`,
      ),
      prometheusProgram(
        { name: 'node-exporter', version: nodeExporter, package: '' },
        `github.com/prometheus/node_exporter v${nodeExporter}`,
      ),
    ],
    binaries: {
      kubelet: 'kubelet',
      kubectl: 'kubectl',
      kubeadm: 'kubeadm',
      containerd: 'containerd',
      'containerd-shim-runc-v2': 'containerd-shim-runc-v2',
      ctr: 'ctr',
      runc: 'runc',
      unzstd: 'unzstd',
      etcd: 'etcd',
      etcdctl: 'etcdctl',
      etcdutl: 'etcdutl',
      'control-plane': 'control-plane',
      'kube-proxy': 'kube-proxy',
      coredns: 'coredns',
      'cni-bridge': 'cni-bridge',
      'cni-host-local': 'cni-host-local',
      'cni-loopback': 'cni-loopback',
      'cni-portmap': 'cni-portmap',
      'cni-bandwidth': 'cni-bandwidth',
      'nvidia-ctk': 'nvidia-ctk',
      'nvidia-cdi-hook': 'nvidia-cdi-hook',
      helm: 'helm',
      'node-exporter': 'node-exporter',
    },
    images: {
      pause: image('pause', pause, ['/pause'], [{ ...empty, name: 'pause', programs: { '/pause': 'pause' } }]),
      etcd: image('etcd', etcd, ['etcd'], [layer('etcd', ['etcd', 'etcdctl'])]),
      'kube-apiserver': image('kube-apiserver', `v${version}`, ['kube-apiserver'], [controlPlaneLayer]),
      'kube-controller-manager': image(
        'kube-controller-manager',
        `v${version}`,
        ['kube-controller-manager'],
        [controlPlaneLayer],
      ),
      'kube-scheduler': image('kube-scheduler', `v${version}`, ['kube-scheduler'], [controlPlaneLayer]),
      'kube-proxy': image('kube-proxy', `v${version}`, ['kube-proxy'], [proxyLayer]),
      coredns: image('coredns', coredns, ['coredns'], [layer('coredns', ['coredns'])]),
      probe: image('probe', probe, ['probe'], [layer('probe', ['probe'])]),
      'nvidia-device-plugin': image(
        'nvidia-device-plugin',
        nvidiaPlugin,
        ['nvidia-device-plugin'],
        // kbs verify runs the probe, which needs the C library too.
        [{ ...layer('nvidia-device-plugin', ['nvidia-device-plugin', 'gpu-probe']), packages: ['libc6'] }],
      ),
      busybox: image('busybox', busybox, ['/bin/busybox'], [busyboxLayer]),
      'local-path-provisioner': image(
        'local-path-provisioner',
        localPath,
        ['local-path-provisioner'],
        [layer('local-path-provisioner', ['local-path-provisioner'])],
      ),
      'metrics-server': image(
        'metrics-server',
        metricsServer,
        ['metrics-server'],
        [layer('metrics-server', ['metrics-server'])],
      ),
      'metallb-controller': image(
        'metallb-controller',
        metallb,
        ['metallb-controller'],
        [layer('metallb-controller', ['metallb-controller'])],
      ),
      'metallb-speaker': image(
        'metallb-speaker',
        metallb,
        ['metallb-speaker'],
        [layer('metallb-speaker', ['metallb-speaker'])],
      ),
      traefik: image('traefik', `v${traefik}`, ['traefik'], [layer('traefik', ['traefik'])]),
      prometheus: ofOneProgram('prometheus', `v${prometheus}`),
      'prometheus-operator': ofOneProgram('prometheus-operator', `v${prometheusOperator}`),
      'prometheus-config-reloader': ofOneProgram('prometheus-config-reloader', `v${prometheusOperator}`),
      alertmanager: ofOneProgram('alertmanager', `v${alertmanager}`),
      'kube-state-metrics': ofOneProgram('kube-state-metrics', `v${kubeStateMetrics}`),
    },
    archives: [
      { name: 'pause', images: ['pause'] },
      { name: 'etcd', images: ['etcd'] },
      { name: 'control-plane', images: ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler'] },
      { name: 'kube-proxy', images: ['kube-proxy'] },
      { name: 'coredns', images: ['coredns'] },
      { name: 'probe', images: ['probe'] },
      { name: 'nvidia-device-plugin', images: ['nvidia-device-plugin'] },
      { name: 'busybox', images: ['busybox'] },
      { name: 'local-path-provisioner', images: ['local-path-provisioner'] },
      { name: 'metrics-server', images: ['metrics-server'] },
      { name: 'metallb', images: ['metallb-controller', 'metallb-speaker'] },
      { name: 'traefik', images: ['traefik'] },
      { name: 'prometheus', images: ['prometheus'] },
      { name: 'prometheus-operator', images: ['prometheus-operator'] },
      { name: 'prometheus-config-reloader', images: ['prometheus-config-reloader'] },
      { name: 'alertmanager', images: ['alertmanager'] },
      { name: 'kube-state-metrics', images: ['kube-state-metrics'] },
    ],
    charts: [
      {
        addon: 'metrics-server',
        name: 'metrics-server',
        version: '3.13.1',
        folder: `metrics-server-${metricsServer}`,
        inModule: { module: 'sigs.k8s.io/metrics-server', path: 'charts/metrics-server' },
      },
      {
        addon: 'storage',
        name: 'local-path-provisioner',
        version: localPath,
        folder: `local-path-provisioner-${localPath}`,
        inModule: { module: 'github.com/rancher/local-path-provisioner', path: 'deploy/chart/local-path-provisioner' },
      },
      {
        addon: 'load-balancer-services',
        name: 'metallb',
        version: metallb,
        folder: `metallb-${metallb}`,
        inModule: { module: 'go.universe.tf/metallb', path: 'charts/metallb' },
      },
      { addon: objectsChart, name: 'objects', version: `${objects}.0`, folder: `objects-${objects}` },
    ],
    hostPackages: ['haproxy', 'keepalived', 'nftables'],
  };
};

const controlPlaneLayer: LayerRecipe = {
  ...layer('control-plane', []),
  programs: { '/usr/local/bin/kube-apiserver': 'control-plane' },
  links: {
    '/usr/local/bin/kube-controller-manager': '/usr/local/bin/kube-apiserver',
    '/usr/local/bin/kube-scheduler': '/usr/local/bin/kube-apiserver',
  },
};

/** The shell in which local-path-provisioner makes and removes the folder of a volume, and the programs that it calls. */
const busyboxLayer: LayerRecipe = {
  ...layer('busybox', []),
  packages: ['busybox-static'],
  links: Object.fromEntries(
    ['cat', 'chmod', 'ls', 'mkdir', 'rm', 'sh', 'sleep'].map((applet) => [`/bin/${applet}`, '/bin/busybox']),
  ),
};

/** kube-proxy runs nft, iptables, conntrack and ipset; nft reads /etc/protocols, which netbase brings. */
const proxyLayer: LayerRecipe = {
  ...layer('kube-proxy', ['kube-proxy']),
  packages: [
    'conntrack',
    'ipset',
    'iptables',
    'libc6',
    'libedit2',
    'libbsd0',
    'libgmp10',
    'libip4tc2',
    'libip6tc2',
    'libipset13',
    'libjansson4',
    'libmd0',
    'libmnl0',
    'libnetfilter-conntrack3',
    'libnfnetlink0',
    'libnftables1',
    'libnftnl11',
    'libtinfo6',
    'libxtables12',
    'netbase',
    'nftables',
  ],
};

const releases: readonly Release[] = [kubernetes_1_36_3()];
