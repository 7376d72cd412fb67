import type { Remains } from '../hosts/facts/facts.js';
import { type Script, sh } from '../hosts/shell.js';
import { type Maker, makersIn } from './other-clusters.js';

/** What of another cluster is on a host, and how it ends; nothing is done. All of it is empty on a host that has none. */
export interface Explanation {
  /** A clause for each thing that is there. */
  readonly found: readonly string[];
  /** What to know or do first, in sentences without a full stop. */
  readonly first: readonly string[];
  /** To run as root on the host, one after the other. */
  readonly commands: readonly Script[];
  /** What the commands leave, and why. */
  readonly stays: readonly string[];
}

/** What is known of a host besides its remains. */
export interface Known {
  /** `System.otherClusters` of the host. */
  readonly running: readonly string[];
  /** Whether the data in /var/lib/etcd are of another cluster. */
  readonly foreignEtcd: boolean;
}

/**
 * Explains the remains of another cluster. Records of kbs come first, as kbs tells its own things from those of others by
 * them; then tools that remove what they installed; and what is left of a cluster of kubeadm, by single commands.
 */
export const explainRemains = (remains: Remains, known: Known): Explanation => {
  const makers = makersIn([...known.running, ...remains.tools]);
  if (remains.recorded.length > 0) return besideKbs(remains, makers, known);
  const tools = makers.flatMap((maker) => toolsOf[maker] ?? []);
  return tools.length > 0 ? byTools(remains, tools) : withoutTool(remains, known);
};

const nothing: Explanation = { found: [], first: [], commands: [], stays: [] };

interface Tool {
  readonly what: string;
  readonly program: string;
  readonly commands: (path: string) => readonly Script[];
}

const uninstalled = (path: string): readonly Script[] => [sh`${path}`];

/** Tools that remove what they installed, network included. */
const toolsOf: Partial<Record<Maker, Tool>> = {
  k3s: { what: 'a server of K3s', program: 'k3s-uninstall.sh', commands: uninstalled },
  'k3s-agent': { what: 'an agent of K3s', program: 'k3s-agent-uninstall.sh', commands: uninstalled },
  rke2: { what: 'RKE2', program: 'rke2-uninstall.sh', commands: uninstalled },
  k0s: {
    what: 'k0s',
    program: 'k0s',
    // A host whose k0s has ended already has nothing to stop.
    commands: (path) => [sh`${path} stop || :`, sh`${path} reset`, sh`reboot`],
  },
  microk8s: { what: 'MicroK8s', program: 'snap', commands: (path) => [sh`${path} remove --purge microk8s`] },
};

const foreignData = 'data of the etcd of another cluster: /var/lib/etcd/member';

const besideKbs = ({ recorded }: Remains, makers: readonly Maker[], { foreignEtcd }: Known): Explanation => {
  const found = [
    ...makers.map((maker) => toolsOf[maker]?.what ?? 'a cluster of kubeadm, or of a tool that uses it'),
    ...(foreignEtcd ? [foreignData] : []),
  ];
  if (found.length === 0) return nothing;
  const next = `kbs has things of cluster ${recorded.join(', ')} on this host, which only kbs tells from those of others: run kbs reset with its inventory, then kbs reset --foreign again`;
  return { ...nothing, found, first: [next] };
};

const outOfCluster =
  'take the host out of its cluster, where that cluster still runs: drain its node and delete it there';

const byTools = ({ programs }: Remains, tools: readonly Tool[]): Explanation => {
  const gone = tools.filter(({ program }) => !programs.has(program));
  return {
    found: tools.map(({ what }) => what),
    first: [
      outOfCluster,
      ...gone.map(
        ({ what, program }) =>
          `${program}, which ends ${what}, is not on this host: install the same version again without a start of it, then kbs reset --foreign again`,
      ),
    ],
    commands: tools.flatMap(({ program, commands }) => {
      const path = programs.get(program);
      return path === undefined ? [] : commands(path);
    }),
    stays: ['what these commands leave, if anything: kbs reset --foreign again, after them'],
  };
};

/** A cluster of kubeadm, or one that was built by hand in the same layout. */
const withoutTool = (remains: Remains, { running, foreignEtcd }: Known): Explanation => {
  const runs = running.includes('kubelet');
  const found = [...(runs ? ['a kubelet that runs'] : []), ...foundIn(remains, foreignEtcd)];
  if (found.length === 0) return nothing;
  const kubeadm = remains.programs.get('kubeadm');
  const left = kubeadm === undefined ? [] : [sh`${kubeadm} reset --force`];
  const hasData = foreignEtcd || remains.paths.includes('/etc/kubernetes/pki');
  return {
    found,
    first: [
      outOfCluster,
      ...(hasData
        ? [
            'what these commands delete is lost: copy /etc/kubernetes and /var/lib/etcd before, if they may still be wanted',
          ]
        : []),
      ...(kubeadm === undefined ? [] : ['kubeadm reset ends most of it; the commands after it remove what it leaves']),
    ],
    commands: [
      ...left,
      ...(runs || remains.units.some(isService) ? [sh`systemctl disable --now kubelet.service`] : []),
      ...(kubeadm === undefined ? [...endPods(remains), ...unmount(remains)] : []),
      ...deletePaths(remains, foreignEtcd),
      ...deleteUnits(remains),
      ...cniFilesOf(remains).map((name) => sh`rm -f ${`/etc/cni/net.d/${name}`}`),
      ...remains.links.map((link) => sh`ip link delete ${link}`),
      ...remains.tables.map((table) => sh`nft delete table ${table.split(' ')}`),
      ...remains.chains.flatMap(deleteChains),
    ],
    stays: staysOf(remains),
  };
};

const foundIn = (remains: Remains, foreignEtcd: boolean): readonly string[] => {
  const { units, paths, links, chains, tables, mounts } = remains;
  const of = (name: string, what: readonly string[]) => (what.length === 0 ? [] : [`${name}: ${what.join(', ')}`]);
  const below = mounts.filter((path) => path.startsWith(`${kubelet}/`));
  return [
    ...of('a kubelet', units),
    ...of('files of a cluster', ownPaths(paths)),
    ...(below.length === 0 ? [] : [`mounts below ${kubelet}: ${below.length}`]),
    ...(foreignEtcd ? [foreignData] : []),
    ...of('CNI configuration in /etc/cni/net.d', cniFilesOf(remains)),
    ...of('network interfaces', links),
    ...of('tables of nftables', tables),
    ...of(
      'chains of Kubernetes',
      chains.map(({ command, table }) => `${command} ${table}`),
    ),
  ];
};

const kubelet = '/var/lib/kubelet';
const etcdMember = '/var/lib/etcd/member';

/** Data of etcd count by what is known of them, and not because they are there. */
const ownPaths = (paths: readonly string[]): readonly string[] => paths.filter((path) => path !== etcdMember);

const isService = (path: string): boolean => path.endsWith('.service');

/** Only pods: containers of Docker lie in another namespace of containerd. */
const endPods = ({ pods, podSlice, programs, sockets }: Remains): readonly Script[] => {
  if (!pods) return [];
  const crictl = programs.get('crictl');
  const ctr = programs.get('ctr');
  const ended = sockets.flatMap((socket): readonly Script[] => {
    if (crictl !== undefined) return [sh`${crictl} -r ${`unix://${socket}`} rmp --all --force`];
    if (ctr === undefined || !socket.startsWith('/run/containerd/')) return [];
    return (['tasks', 'containers'] as const).map((kind) =>
      kind === 'tasks'
        ? sh`${ctr} -n k8s.io tasks ls -q | xargs -r -n 1 ${ctr} -n k8s.io tasks rm --force`
        : sh`${ctr} -n k8s.io containers ls -q | xargs -r -n 1 ${ctr} -n k8s.io containers rm`,
    );
  });
  return [...ended, ...(podSlice ? [sh`systemctl stop kubepods.slice`] : [])];
};

/** The last mounted first, as it may lie below another. A mount of the administrator's at the folder itself stays. */
const unmount = ({ mounts }: Remains): readonly Script[] =>
  mounts
    .filter((path) => path.startsWith(`${kubelet}/`))
    .toReversed()
    .map((path) => sh`umount ${path}`);

/** Never past a mount: below one lie data of a volume. */
const deletePaths = ({ paths, mounts }: Remains, foreignEtcd: boolean): readonly Script[] => {
  const gone = ownPaths(paths);
  return [
    ...gone.map((path) =>
      mounts.includes(path)
        ? sh`find ${path} -xdev -mindepth 1 -delete`
        : path.endsWith('.conf')
          ? sh`rm -f ${path}`
          : sh`rm -rf --one-file-system ${path}`,
    ),
    ...(gone.some((path) => path.startsWith('/etc/kubernetes/'))
      ? [sh`rmdir --ignore-fail-on-non-empty /etc/kubernetes`]
      : []),
    ...(foreignEtcd ? [sh`rm -rf --one-file-system ${etcdMember}`] : []),
  ];
};

/** A drop-in of a package stands above the unit that kbs writes, so the package goes. */
const deleteUnits = ({ units, packages }: Remains): readonly Script[] => {
  const of = (manager: 'apt' | 'rpm') => packages.filter((one) => one.manager === manager).map(({ name }) => name);
  const [apt, rpm] = [of('apt'), of('rpm')];
  const loose = units.filter((path) => path.startsWith('/etc/') || packages.length === 0);
  return [
    ...(apt.length > 0 ? [sh`apt-get purge --allow-change-held-packages ${apt}`] : []),
    ...(rpm.length > 0 ? [sh`dnf remove ${rpm}`] : []),
    ...loose.map((path) => sh`rm -f ${path}`),
    ...(units.length > 0 ? [sh`systemctl daemon-reload`] : []),
  ];
};

/** Files of network plugins for Kubernetes by their usual names; those of Podman and nerdctl lie in the same folder. */
const cniFilesOf = ({ cniFiles }: Remains): readonly string[] => cniFiles.filter((name) => pluginFiles.test(name));

const pluginFiles = /flannel|calico|canal|cilium|weave|kuberouter|kube-router|antrea|ovn-kubernetes|multus/;

/** First the rules that lead to the chains, then the chains' own rules, as a chain that is in use cannot be deleted. */
const deleteChains = ({ command, table }: Remains['chains'][number]): readonly Script[] => {
  const save = `${command}-save`;
  const leads = String.raw`/^-A ${chainNames}/!s/^-A (.* -[jg] ${chainNames}[^ "]*)$/-D \1/p`;
  const names = String.raw`s/^:(${chainNames}[^ ]*) .*/\1/p`;
  return [
    sh`${save} -t ${table} | sed -n -E ${leads} | xargs -r -L 1 ${command} -w -t ${table}`,
    ...['-F', '-X'].map(
      (flag) => sh`${save} -t ${table} | sed -n -E ${names} | xargs -r -n 1 ${command} -w -t ${table} ${flag}`,
    ),
  ];
};

const chainNames = '(KUBE-|FLANNEL-|cali-|CILIUM_)';

const staysOf = (remains: Remains): readonly string[] => {
  const { cniFiles, pods, sockets, programs, podSlice, links } = remains;
  const others = cniFiles.filter((name) => !pluginFiles.test(name));
  const canEnd =
    podSlice || (sockets.length > 0 && (programs.has('crictl') || programs.has('ctr') || programs.has('kubeadm')));
  return [
    'container runtimes and their images, containers of Docker, and rules that others made',
    ...(others.length > 0 ? [`in /etc/cni/net.d, which other programs may use: ${others.join(', ')}`] : []),
    ...(pods && !canEnd
      ? ['processes of pods, which no program on this host can end: reboot after these commands']
      : []),
    ...(links.includes('kube-ipvs0')
      ? ['virtual services of IPVS: ipvsadm --clear, where nothing else on this host uses IPVS']
      : []),
  ];
};
