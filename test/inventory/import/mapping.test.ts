import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { type ImportedInventory, importInventory } from '../../../src/inventory/import/import.js';

const imported = (file: string, text: string): ImportedInventory =>
  importInventory({ file, text, folder: 'lab', varFiles: [], unread: [] }, { versions: ['1.36.3', '1.35.4'] });

/** A part of the inventory, and words of what is left out or to decide. */
type Row = readonly [what: string, text: string, part: object, ...words: string[]];

const testAll = (file: string, rows: readonly Row[]): void => {
  for (const [what, text, part, ...words] of rows) {
    test(what, () => {
      const { text: yaml, remarks } = imported(file, text);
      expect(parse(yaml)).toMatchObject(part);
      const said = remarks.map(({ text: sentence }) => sentence).join('\n');
      for (const word of words) expect(said).toContain(word);
    });
  }
};

const cp = (...names: readonly string[]) => `[kube_control_plane]\n${names.join('\n')}\n`;

describe('kubespray', () => {
  testAll('hosts.ini', [
    [
      'an address that kube-vip keeps',
      `${cp('a ip=10.0.0.1', 'b ip=10.0.0.2', 'c ip=10.0.1.3')}[all:vars]\nkube_vip_enabled=true\nkube_vip_address=10.0.0.9\n`,
      {
        endpoint: { vip: '10.0.0.9' },
        hosts: {
          a: { roles: ['control-plane', 'load-balancer'] },
          b: { roles: ['control-plane', 'load-balancer'] },
          c: { roles: ['control-plane'] },
        },
      },
      'hold the address',
    ],
    [
      'an address in no segment',
      `${cp('a ip=10.0.0.1')}[all:vars]\nkube_vip_enabled=yes\nkube_vip_address=10.9.0.9\n`,
      { endpoint: { vip: '10.9.0.9' }, hosts: { a: { roles: ['control-plane'] } } },
      'no control plane is in the segment',
    ],
    [
      'several control planes without a load balancer',
      cp('a ip=10.0.0.1', 'b ip=10.0.0.2'),
      { cluster: 'lab' },
      '2 control planes need a load balancer before them, and kubespray names none',
      'an odd number',
    ],
    [
      'a load balancer by its name',
      `${cp('a ip=10.0.0.1')}[all:vars]\nloadbalancer_apiserver={"address": "lb.example.com", "port": 8443}\n`,
      { endpoint: { name: 'lb.example.com', port: 8443, external: true } },
      'a load balancer outside the cluster',
    ],
    [
      'hosts of other groups',
      `${cp('a ip=10.0.0.1')}[etcd]\na\ne ip=10.0.0.2\n[calico_rr]\nr\n[bastion]\nj ansible_host=203.0.113.1 ansible_user=ops ansible_port=2200\n`,
      { ssh: { jump: { host: '203.0.113.1', user: 'ops', port: 2200 } } },
      'e: in the group etcd alone',
      'r: a route reflector',
    ],
    [
      'templates',
      `${cp('a ip="{{ ansible_default_ipv4.address }}" ansible_host=10.0.0.1')}[all:vars]\nkube_version="v{{ v }}"\ndns_domain={{ cluster_name }}\ncluster_name=a.example\n`,
      { kubernetes: { version: '1.36.3' }, network: { domain: 'a.example' }, hosts: { a: { address: '10.0.0.1' } } },
      'ip: a template',
      'kube_version: a template',
    ],
    [
      'templates and secrets inside of other values',
      `${cp('a ip=10.0.0.1')}[all:vars]\nlb=10.0.0.7\nloadbalancer_apiserver={"address": "{{ lb }}", "port": "{{ p }}"}\n`,
      { endpoint: { vip: '10.0.0.7', external: true } },
      'loadbalancer_apiserver: a template',
    ],
    [
      'another version of a minor that there is',
      `${cp('a ip=10.0.0.1')}[all:vars]\nkube_version=1.35.1\n`,
      { kubernetes: { version: '1.35.4' } },
      'version 1.35.1: kbs has 1.36.3, 1.35.4',
    ],
    [
      'a way in by a proxy command, become and a user for you',
      cp(`a ip=10.0.0.1 ansible_become_method=su ansible_ssh_common_args='-o ProxyCommand="ssh -W %h:%p j"'`),
      { hosts: { a: { address: '10.0.0.1' } } },
      'ansible_become_method su',
      'ProxyCommand',
      'logs in as you',
    ],
    [
      'doas, a password and this machine',
      cp('a ip=10.0.0.1 ansible_become_method=doas ansible_ssh_pass=x', 'b ip=10.0.0.2 ansible_connection=local'),
      { hosts: { b: { ssh: { transport: 'local' } } }, ssh: { become: 'doas', password: 'ask' } },
      'the password is not copied',
    ],
    [
      'flags and feature gates',
      `${cp('a ip=10.0.0.1')}[all:vars]\nkube_feature_gates=['ContextualLogging=false']\nkube_kubeadm_scheduler_extra_args={"v": "4"}\n`,
      { kubernetes: { featureGates: { ContextualLogging: false }, scheduler: { extra: { v: '4' } } } },
    ],
    [
      'other programs than those of kbs',
      `${cp('a ip=10.0.0.1')}[all:vars]\ncontainer_manager=crio\nkube_proxy_mode=none\nkube_apiserver_port=8443\nkube_network_node_prefix=25\nhttps_proxy=http://u:p@proxy.lan:3128\nmetallb_enabled=true\ncloud_provider=aws\n`,
      { kubernetes: { version: '1.36.3' } },
      'container_manager crio',
      'kube-proxy in the mode none',
      'kube_apiserver_port 8443',
      'kube_network_node_prefix 25',
      'https_proxy has a password',
      'load-balancer-services',
      'cloud_provider aws',
    ],
    [
      'both families, of which not every host has an address of IPv6',
      `${cp('a ip=10.0.0.1 ip6=fd00:10::0:1')}[all:vars]\nenable_dual_stack_networks=True\nkube_pods_subnet_ipv6=FD00:1::/112\n`,
      {
        network: {
          ipv6: { pods: 'fd00:1::/112', services: 'fd85:ee78:d8a6:8607::1000/116', nodePrefix: 120 },
          segments: { lan: { cidr: '10.0.0.0/24', ipv6: { cidr: 'fd00:10::/64' } } },
        },
        hosts: { a: { address: '10.0.0.1', ipv6: 'fd00:10::1' } },
      },
      "the IPv6 network is the /64 of the hosts' addresses",
    ],
    [
      'IPv6 alone',
      `${cp('a ip=10.0.0.1')}[all:vars]\nipv4_stack=false\nipv6_stack=true\n`,
      { network: { pods: '10.233.64.0/18' } },
      'ipv4_stack false: kbs needs IPv4',
    ],
  ]);
});

const k0sctl = (hosts: string, k0s = '{}'): string => `apiVersion: k0sctl.k0sproject.io/v1beta1
kind: Cluster
spec:
  hosts: ${hosts}
  k0s: ${k0s}
`;

describe('k0sctl', () => {
  testAll('k0sctl.yaml', [
    [
      'one machine, which is this one',
      k0sctl('[{ role: single, localhost: { enabled: true }, privateAddress: 10.0.0.1 }]'),
      {
        cluster: 'k0s-cluster',
        network: { pods: '10.244.0.0/16', services: '10.96.0.0/12' },
        hosts: {
          'controller-00': { address: '10.0.0.1', roles: ['control-plane', 'worker'], ssh: { transport: 'local' } },
        },
      },
    ],
    [
      'an alias of openSSH',
      k0sctl('[{ role: controller, openSSH: { address: cp-east, options: { ForwardAgent: yes } } }]'),
      { ssh: { transport: 'openssh' }, hosts: { 'cp-east': { roles: ['control-plane'] } } },
      'the IPv4 address: k0sctl has cp-east',
      'options of openSSH',
    ],
    [
      'a load balancer outside',
      k0sctl(
        '[{ role: controller, ssh: { address: 10.0.0.1 } }]',
        '{ config: { spec: { api: { externalAddress: api.example.com, port: 8443, extraArgs: { v: 4 } } } } }',
      ),
      {
        kubernetes: { apiServer: { extra: { v: 4 } } },
        endpoint: { name: 'api.example.com', external: true, port: 8443 },
        ssh: { user: 'root' },
      },
      'api.port 8443',
    ],
    [
      'settings in a second document',
      `${k0sctl('[{ role: controller, ssh: { address: 10.0.0.1 } }]')}---
apiVersion: k0s.k0sproject.io/v1beta1
kind: ClusterConfig
spec:
  network: { podCIDR: 10.1.0.0/16, dualStack: { enabled: true, IPv6podCIDR: 'fd00::/108', IPv6serviceCIDR: 'fd01::/108' }, kubeProxy: { disabled: true } }
  storage: { type: kine }
`,
      { network: { pods: '10.1.0.0/16', ipv6: { pods: 'fd00::/108', services: 'fd01::/108', nodePrefix: 116 } } },
      'the IPv6 network of lan, as cidr',
      'storage kine',
      'kubeProxy.disabled',
    ],
    [
      'flags and feature gates, of which some are not for the inventory to set',
      k0sctl(
        '[{ role: single, ssh: { address: 10.0.0.1 } }]',
        '{ config: { spec: { api: { extraArgs: { event-ttl: 2h, secure-port: 1, max-request-inflight: 9 } }, scheduler: { extraArgs: { kube-api-burst: x } }, featureGates: [{ name: ContextualLogging, enabled: false }, { name: Nothing }], workerProfiles: [{ name: default, values: { maxPods: 50, clusterDomain: x } }] } } }',
      ),
      {
        kubernetes: {
          apiServer: { extra: { 'event-ttl': '2h' } },
          featureGates: { ContextualLogging: false },
          kubelet: { maxPods: 50 },
        },
      },
      'apiServer.extra.secure-port: cannot be set here',
      'apiServer.extra.max-request-inflight is no flag of kube-apiserver',
      'scheduler.extra.kube-api-burst: x is not a whole number',
      'featureGates.Nothing is no alpha or beta feature gate',
      'kubelet.clusterDomain',
    ],
    [
      'an unknown role',
      k0sctl('[{ role: etcd, ssh: { address: 10.0.0.1 } }]'),
      { hosts: { 'worker-00': { roles: [] } } },
      'etcd is no role of k0sctl',
      'no host is a control plane',
    ],
  ]);
});

describe('RKE', () => {
  testAll('cluster.yml', [
    [
      'both families of addresses',
      'nodes: [{ address: 10.0.0.1, role: [controlplane, etcd, worker] }]\nservices: { kube-controller: { cluster_cidr: "10.42.0.0/16,2001:cafe:42::/56" } }\n',
      {
        cluster: 'local',
        network: { pods: '10.42.0.0/16', services: '10.43.0.0/16', ipv6: { pods: '2001:cafe:42::/56' } },
      },
      'the IPv6 network of Services',
    ],
    [
      'roles apart',
      'nodes: [{ address: 10.0.0.1, role: [controlplane] }, { address: 10.0.0.2, role: [worker, etcd] }]\n',
      { hosts: { 'controller-00': { roles: ['control-plane'] }, 'worker-00': { roles: ['worker'] } } },
      'without etcd in RKE',
      'etcd: kbs runs etcd on control planes alone',
    ],
    [
      'keys and certificates in the file',
      'nodes: [{ address: 10.0.0.1, role: [controlplane], ssh_key: PRIVATE, ssh_cert: CERT }]\nbastion_host: { address: jump.example.com, ssh_key: PRIVATE }\n',
      { ssh: { jump: { host: 'jump.example.com' } } },
      'the private key is in the file (ssh_key)',
      'write the certificate into ~/.ssh/config, and transport: openssh',
      'the private key of bastion_host',
    ],
    [
      'what kbs has no part for',
      'nodes: [{ address: 10.0.0.1, role: [controlplane], user: ops, ssh_key_path: keys/id }]\nnetwork: { plugin: weave, mtu: 1400 }\nauthentication: { strategy: x509|webhook }\ndns: { provider: kube-dns }\ncloud_provider: { name: vsphere }\naddons: "---"\nmonitoring: { provider: metrics-server }\nservices: { etcd: { external_urls: [https://e:2379] } }\n',
      { ssh: { user: 'ops', key: 'keys/id' } },
      'network plugin weave',
      'network.mtu 1400',
      'authentication x509|webhook',
      'dns provider kube-dns',
      'cloud_provider vsphere',
      'manifests are not taken',
      'metrics-server',
      'external_urls',
      'paths of keys start at the folder of this file',
    ],
  ]);

  test('no private key is in the inventory', () => {
    const { text } = imported(
      'cluster.yml',
      'nodes: [{ address: 10.0.0.1, role: [controlplane], ssh_key: PRIVATE }]\n',
    );
    expect(text).not.toContain('PRIVATE');
  });
});

test.each([
  cp('a ip=10.0.0.1'),
  '[kube-master]\na ip=10.0.0.1\n',
  `${cp('a ip=10.0.0.1')}[k8s_cluster:children]\nkube_control_plane\n`,
])('variables of k8s_cluster count for the nodes of %j', (text) => {
  const vars = { kube_version: { value: 'v1.35.4', at: 'group_vars/k8s_cluster.yml:1:1' } };
  const varFiles = [{ of: 'group', name: 'k8s_cluster', vars }] as const;
  const source = { file: 'hosts.ini', text, folder: 'lab', varFiles, unread: [] };
  const { text: yaml } = importInventory(source, { versions: ['1.36.3', '1.35.4'] });
  expect(parse(yaml)).toMatchObject({ kubernetes: { version: '1.35.4' } });
});
