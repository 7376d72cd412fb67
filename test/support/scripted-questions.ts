import type { NetworkFacts } from '../../src/hosts/facts/network.js';
import { factsScript } from '../../src/hosts/facts/script.js';
import { userLabel } from '../../src/kubernetes/users.js';
import { setLabel } from '../../src/resources/kube-object.js';
import type { KubeObject } from '../../src/resources/resource.js';
import { nameOf, type ScriptedCluster, type ScriptedMachine } from './scripted-cluster.js';
import { printFacts, printNetwork } from './scripted-facts.js';
import type { Reply } from './scripted-protocol.js';
import { keyOf, printState, subjectOf } from './scripted-resources.js';

/** What a machine of a scripted cluster answers to one question: a query of a resource, a gate, or one of kubernetes/. */
export const answer = (cluster: ScriptedCluster, machine: ScriptedMachine, question: string): Reply => {
  if (question === factsScript) return yes(printFacts(cluster.factsOf(machine)));
  if (question.includes('ip -4 rule show')) return yes(printNetwork(cluster.factsOf(machine).network ?? noNetwork));
  const subject = subjectOf(question);
  if (subject !== undefined) return yes(printState(subject, machine.states.get(keyOf(subject)), question));
  for (const [marks, reply] of table) {
    if (marks.every((mark) => question.includes(mark))) return reply({ cluster, machine, question });
  }
  throw new Error(`nothing is known of this question to ${machine.host.name}:\n${question}`);
};

const noNetwork: NetworkFacts = { rules: [], links: [], paths: [], hostsLines: [], resolved: [], connections: [] };

interface Asked {
  readonly cluster: ScriptedCluster;
  readonly machine: ScriptedMachine;
  readonly question: string;
}

const yes = (output = ''): Reply => ({ code: 0, output });
const no = (output: string): Reply => ({ code: 1, output });
const when = (so: boolean, otherwise: string): Reply => (so ? yes() : no(otherwise));

/** The first row counts all of whose texts are in the question. */
const table: readonly (readonly [marks: readonly string[], reply: (asked: Asked) => Reply])[] = [
  // Tasks, which print `yes` where they are done.
  [['member/wal ]\n) >/dev/null'], ({ machine }) => yes(machine.data ? 'yes' : '')],
  [['member list', ', false$', 'echo yes'], ({ cluster, machine }) => yes(isVoter(cluster, machine) ? 'yes' : '')],
  [
    ['get clusterrolebinding kubeadm:cluster-admins'],
    ({ cluster, machine }) =>
      yes(cluster.apiReady(machine) && cluster.objects.has('ClusterRoleBinding/kubeadm:cluster-admins') ? 'yes' : ''),
  ],
  [['is-active kube-proxy.service'], () => yes('yes')],
  [['ip link show dev kube-ipvs0'], () => yes('yes')],
  [['it does not answer on port 10256'], () => yes()],
  [['gpu-cdi current'], ({ machine }) => yes(machine.states.get('task CDI specification of the GPUs')?.done)],
  [
    ['/proc/driver/nvidia/version ]', 'echo yes'],
    ({ machine }) => yes(machine.states.get("task NVIDIA's driver is loaded")?.done),
  ],
  [['/settings', 'echo yes'], hasSettings],
  // Users are of control planes without pods, which no scripted cluster has.
  [['/var/lib/kbs/users/'], () => yes()],

  [['cat /var/lib/kbs/resources'], ({ machine }) => yes(machine.records)],

  // kubectl.
  [['jsonpath={range .items[*]}{.metadata.labels.'], (asked) => yes(objectSets(asked))],
  [['ask_release '], (asked) => yes(askKubectl(asked, releaseOf(asked)))],
  [['get secrets -A -l owner=helm'], (asked) => yes(askKubectl(asked, releasesIn(asked).join('')))],
  [["echo 'kbs: wanted'"], () => yes()],
  [["END_OF_OBJECTS'"], (asked) => yes(askKubectl(asked, objectsIn(asked)))],
  [['\nask_kubectl', 'spec.podCIDRs'], (asked) => yes(nodeCidrs(asked))],
  [['--field-selector', 'poddisruptionbudgets'], podsOf],
  [['kbs_nodes='], () => yes()],
  [['-n kbs-users get serviceaccounts'], accessTo],
  [['-n kbs-users create token'], tokenOf],
  [['create token'], viewerToken],
  [['get --raw /readyz'], readyz],
  [["'^", '=True='], isReady],

  // etcdctl.
  [['apiserver-etcd-client.key', 'endpoint health'], ({ cluster }) => when(cluster.outside === true, 'is unhealthy')],
  [['member list --consistency=s', 'endpoint status'], membersOf],
  [["'( sport = :2379 or sport = :2380 )'"], etcdState],
  [['endpoint status'], ({ cluster, machine }) => when(cluster.etcdRuns(machine), 'no etcd listens on port 2379')],
  [
    ['get health'],
    ({ cluster, machine }) => when(cluster.etcdRuns(machine) && cluster.hasQuorum(), 'etcdserver: no leader'),
  ],
  [['endpoint health', '-ge '], healthyMembers],

  // The rest.
  [['journalctl _SYSTEMD_UNIT=kubelet.service'], () => yes()],
  [['/var/log/pods/kube-system_kube-proxy-'], () => yes()],
  [['kbs_want=$('], () => yes()],
  [['haproxy-health'], balancers],
  [['/dev/udp/'], nameServers],
  [['exec perl - '], () => yes('listened\n')],
  [[':'], ({ question }) => when(question.trim() === ':', `nothing is known of this question: ${question}`)],
];

const isVoter = (cluster: ScriptedCluster, machine: ScriptedMachine): boolean =>
  cluster.etcdRuns(machine) && cluster.members.get(machine.host.name)?.voter === true;

const askKubectl = ({ cluster, machine }: Asked, output: string): string => {
  const installed = machine.states.has('binary /usr/local/bin/kubectl');
  if (!installed || !machine.states.has('file /etc/kubernetes/admin.conf')) return '\nkbs: not installed\n';
  return cluster.apiReady(machine) ? `${output}\nkbs: answered\n` : '\nkbs: not answered: connection refused\n';
};

const objectsIn = ({ cluster, question }: Asked): string => {
  const [, list = ''] = /<<'END_OF_OBJECTS'\n(.*)\nEND_OF_OBJECTS/s.exec(question) ?? [];
  const { items } = JSON.parse(list) as { readonly items: readonly KubeObject[] };
  return JSON.stringify({ kind: 'List', items: items.flatMap((item) => cluster.objects.get(nameOf(item)) ?? []) });
};

/** As kubectl prints helm's Secrets of one namespace. */
const releaseOf = ({ cluster, question }: Asked): string => {
  const [, namespace = '', name = ''] = /^ask_release \S+ (\S+) (\S+)/.exec(question) ?? [];
  const labels = cluster.releases.get(`${namespace}/${name}`);
  return labels === undefined ? '' : secretOf(name, labels);
};

const secretOf = (name: string, labels: string): string =>
  `sh.helm.release.v1.${name}.v1 helm.sh/release.v1 1 5m ${labels},name=${name},owner=helm\n`;

const releasesIn = ({ cluster }: Asked): readonly string[] =>
  [...cluster.releases].map(([id, labels]) => {
    const [namespace = '', name = ''] = id.split('/');
    return `${namespace} ${secretOf(name, labels)}`;
  });

const ownReleases = (asked: Asked): readonly string[] =>
  releasesIn(asked).filter((line) => line.includes('kbs.dev/addon='));

const objectSets = (asked: Asked): string => {
  const { cluster, machine } = asked;
  if (!machine.states.has('binary /usr/local/bin/kubectl') || !cluster.apiReady(machine)) return '';
  const lines = [...cluster.objects.values()].map(
    ({ apiVersion, kind, metadata: { labels, name, namespace = '' } }) => {
      const set = (labels as Readonly<Record<string, string>> | undefined)?.[setLabel];
      return set === undefined ? '' : `${set} ${apiVersion} ${kind} ${name} ${namespace}\n`;
    },
  );
  return [...lines, ...ownReleases(asked), ...cluster.volumes.map((line) => `${line}\n`)].join('');
};

const nodeCidrs = (asked: Asked): string => {
  const nodes = [...asked.cluster.objects.values()].filter(({ kind }) => kind === 'Node');
  const lines = nodes.map(({ metadata, spec }) => `${metadata.name} ${(spec as { podCIDR?: string }).podCIDR ?? ''}\n`);
  const record = asked.cluster.objects.get('ConfigMap/kube-system/kbs')?.data as Record<string, string> | undefined;
  return `${askKubectl(asked, lines.join(''))}\x1d${askKubectl(asked, record?.['pod-cidrs.json'] ?? '')}`;
};

function podsOf({ cluster, machine, question }: Asked): Reply {
  if (!cluster.apiReady(machine)) return no('connection refused');
  const [, node = ''] = /spec\.nodeName=(\S+?)'? -o json/.exec(question) ?? [];
  if (question.includes('--ignore-not-found') && !cluster.objects.has(`Node/${node}`)) return yes();
  const pods = cluster.pods.filter((each) => each.node === node).map(({ pod }) => pod);
  return yes(`${JSON.stringify({ items: pods })}\x1e${JSON.stringify({ items: cluster.budgets })}`);
}

function accessTo({ cluster, machine }: Asked): Reply {
  if (!cluster.apiReady(machine)) return no('connection refused');
  const listed = (is: (object: KubeObject) => boolean) =>
    JSON.stringify({ items: [...cluster.objects.values()].filter(is) });
  return yes(
    [
      listed(({ kind, metadata }) => kind === 'ServiceAccount' && metadata.namespace === 'kbs-users'),
      listed(({ kind }) => kind.endsWith('RoleBinding')),
      listed(
        ({ kind, metadata }) => kind === 'ClusterRole' && JSON.stringify(metadata.labels ?? {}).includes(userLabel),
      ),
      'default\nkube-system\nshop\n',
      machine.states.get('file /etc/kubernetes/pki/ca.crt')?.content ?? '',
      `${Math.floor(Date.now() / 1000)}\n`,
    ].join('\x1e'),
  );
}

function tokenOf({ cluster, machine, question }: Asked): Reply {
  const [, name = '', until = ''] = /create token (\S+) --duration=\$\(\( (\d+) /.exec(question) ?? [];
  if (!cluster.apiReady(machine) || !cluster.objects.has(`ServiceAccount/kbs-users/${name}`)) return no('not found');
  return yes(`${new Date(Number(until) * 1000).toISOString()} token-of-${name}`);
}

/** Of the ServiceAccount that the chart of a release of that name has made. */
function viewerToken({ cluster, machine, question }: Asked): Reply {
  const [, namespace = '', name = '', lifetime = ''] =
    /-n (\S+) create token (\S+) --duration=(\S+) /.exec(question) ?? [];
  if (!cluster.apiReady(machine) || !cluster.releases.has(`${namespace}/${name}`)) return no('not found');
  return yes(`2026-11-27T09:30:00Z token-of-${name}-for-${lifetime}`);
}

/** Of the API servers that are named, or of the host's own. */
function readyz({ cluster, machine, question }: Asked): Reply {
  if (!machine.states.has('binary /usr/local/bin/kubectl')) return no('kubectl: not found');
  const named = [...question.matchAll(/--server=https:\/\/([0-9.]+):6443/g)].map(([, address]) => address);
  const asked =
    named.length === 0 ? [machine] : cluster.controlPlanes().filter(({ host }) => named.includes(host.address));
  return when(
    asked.some((each) => cluster.apiReady(each)),
    'the server is not ready',
  );
}

function isReady({ cluster, question }: Asked): Reply {
  const [, what = '', node] = /'\^(?:(kube-proxy)=)?([^=']+)=True='/.exec(question) ?? [];
  const anyNode = [...cluster.machines.keys()].some((name) => cluster.nodeReady(name));
  if (question.includes('kube-dns='))
    return when(cluster.objects.has('Deployment/kube-system/coredns') && anyNode, 'no DNS');
  const proxies = what === '' || cluster.objects.has('DaemonSet/kube-system/kube-proxy');
  return when(proxies && cluster.nodeReady(node ?? ''), `${node} is not ready`);
}

function membersOf({ cluster, machine }: Asked): Reply {
  if (!cluster.etcdRuns(machine)) return no('connection refused');
  const leader = cluster.leader();
  const leaderId = leader === undefined ? 0 : cluster.members.get(leader)?.id;
  const members = [...cluster.members].map(([name, { id, voter }]) => {
    const { address } = cluster.at(name).host;
    return {
      ID: id,
      name,
      peerURLs: [`https://${address}:2380`],
      clientURLs: [`https://${address}:2379`],
      isLearner: !voter,
    };
  });
  const statuses = [...cluster.members]
    .filter(([name]) => cluster.etcdRuns(cluster.at(name)))
    .map(([, { id, size }]) => ({
      Status: {
        header: { member_id: id, revision: cluster.revision },
        version: '3.7.3',
        dbSize: size,
        dbSizeInUse: 1_000_000,
        leader: leaderId,
        raftTerm: 2,
        raftIndex: 10,
        ...(leader === undefined ? { errors: ['etcdserver: no leader'] } : {}),
        ...(cluster.full ? { errors: [`memberID:${id} alarm:NOSPACE `] } : {}),
      },
    }));
  return yes(`${JSON.stringify({ members })}\x1e${JSON.stringify(statuses)}`);
}

function etcdState({ cluster, machine }: Asked): Reply {
  const started = machine.restoring !== undefined && machine.snapshot === undefined ? `${machine.restoring}\n` : '';
  return yes(`${cluster.etcdRuns(machine) ? 'runs' : 'stopped'}\n${started}`);
}

function healthyMembers({ cluster, question }: Asked): Reply {
  const needed = Number(/-ge (\d+)/.exec(question)?.[1]);
  const asked = cluster.controlPlanes().filter(({ host }) => question.includes(`https://${host.address}:2379`));
  const healthy = asked.filter((each) => cluster.etcdRuns(each) && cluster.hasQuorum());
  return when(healthy.length >= needed, `${healthy.length} of ${asked.length} members are healthy`);
}

/** Whether haproxy took the settings that have the digest in the question. */
function hasSettings({ cluster, machine, question }: Asked): Reply {
  const [, digest = ''] = / = ([0-9a-f]{32}) \]/.exec(question) ?? [];
  const taken = machine.states.get('task haproxy runs with its settings')?.settings ?? '';
  return yes(cluster.runs(machine, 'haproxy.service') && taken.includes(` ${digest} `) ? 'yes' : '');
}

function balancers({ cluster, machine, question }: Asked): Reply {
  const addresses = [...question.matchAll(/haproxy-health ([0-9.]+)/g)].map(([, address]) => address);
  const serves = [...cluster.machines.values()].some(
    (each) =>
      cluster.balancerServes(each) &&
      (addresses.includes(each.host.address) || (addresses.includes('127.0.0.1') && each === machine)),
  );
  return when(serves, 'haproxy reaches no API server');
}

function nameServers({ cluster, question }: Asked): Reply {
  const addresses = [...question.matchAll(/\/dev\/udp\/([0-9.]+)\/53/g)].map(([, address]) => address);
  const serves = [...cluster.machines.values()].some(
    (each) =>
      cluster.runs(each, 'coredns.service') &&
      [each.host.address, ...Object.values(each.host.addresses)].some((address) => addresses.includes(address)),
  );
  return when(serves, 'no answer');
}
