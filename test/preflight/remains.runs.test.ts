import { execa } from 'execa';
import { expect, test } from 'vitest';
import { parseRemains, remainsScript } from '../../src/hosts/facts/remains.js';
import { explainRemains } from '../../src/preflight/remains.js';
import { lacks } from '../support/needs.js';

/** A host with a dead cluster of kubeadm, and with things of others beside it. */
const host = `mount --bind /etc/alternatives /mnt; mount -t tmpfs none /etc; mkdir /etc/alternatives; mount --bind /mnt /etc/alternatives
mount -t tmpfs none /var/lib; mount -t tmpfs none /run; mount -t tmpfs none /usr/local
mkdir /usr/local/bin; PATH=/usr/local/bin:$PATH
printf '#!/bin/sh\\ncase "$*" in *is-active*) exit 3 ;; esac\\n' > /usr/local/bin/systemctl; chmod +x /usr/local/bin/systemctl
mkdir -p /etc/kubernetes/manifests /etc/kubernetes/pki /etc/cni/net.d /etc/systemd/system /var/lib/kubelet/pods/1 /var/lib/etcd/member/wal
: > /etc/kubernetes/pki/ca.crt; : > /etc/kubernetes/kubelet.conf; : > /etc/kubernetes/mine.txt
: > /etc/systemd/system/kubelet.service; : > /etc/cni/net.d/10-flannel.conflist; : > /etc/cni/net.d/87-podman.conflist
mkdir '/var/lib/kubelet/pods/1/a b'; mount -t tmpfs none '/var/lib/kubelet/pods/1/a b'; : > '/var/lib/kubelet/pods/1/a b/data'
ip link add cni0 type bridge; ip link add docker0 type bridge
nft add table ip kube-proxy; nft add table inet mine
for tool in iptables ip6tables; do
  $tool -t nat -N DOCKER; $tool -t nat -A PREROUTING -m comment --comment 'not to KUBE-SERVICES' -j DOCKER
  $tool -A INPUT -p tcp --dport 22 -j ACCEPT
done
iptables-save | grep -v '^#' > /run/before
iptables -t nat -N KUBE-SERVICES; iptables -t nat -N KUBE-SVC-1
iptables -t nat -A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
iptables -t nat -A KUBE-SERVICES -d 10.96.0.1/32 -j KUBE-SVC-1; iptables -t nat -A KUBE-SVC-1 -j DOCKER
iptables -N KUBE-FIREWALL; iptables -A INPUT -j KUBE-FIREWALL; iptables -A KUBE-FIREWALL -s 10.0.0.9/32 -j DROP
`;

const inNamespaces = async (script: string): Promise<string> =>
  (await execa('unshare', ['--mount', '--net', 'sh', '-eu'], { input: script })).stdout;

test.skipIf(lacks('root', 'iptables', 'nftables'))(
  'the commands for a dead cluster remove it, and nothing of others',
  async () => {
    const remains = parseRemains(await inNamespaces(`${host}\n${remainsScript}`));
    expect(remains).toMatchObject({
      recorded: [],
      units: ['/etc/systemd/system/kubelet.service'],
      mounts: ['/var/lib/kubelet/pods/1/a b'],
      paths: ['/etc/kubernetes/pki', '/etc/kubernetes/kubelet.conf', '/var/lib/kubelet', '/var/lib/etcd/member'],
      cniFiles: ['10-flannel.conflist', '87-podman.conflist'],
      links: ['cni0'],
      tables: ['ip kube-proxy'],
    });
    expect(remains.chains).toEqual([
      { command: 'iptables', table: 'filter' },
      { command: 'iptables', table: 'nat' },
    ]);
    const { commands } = explainRemains(remains, { running: [], foreignEtcd: true });
    const left = await inNamespaces(`${host}
{
${commands.join('\n')}
} >&2
iptables-save | grep -v '^#' > /run/after
# Counters apart, tables that the cluster alone used are empty now.
diff /run/before /run/after >&2
find /etc /var/lib -xdev -type f | sort
ip -o link | sed 's/^[0-9]*: \\([^:@]*\\).*/link \\1/'
nft list tables | grep -v ' ip6* \\(nat\\|filter\\)'
${remainsScript}`);
    expect(left.split('\n')).toEqual([
      '/etc/cni/net.d/87-podman.conflist',
      '/etc/kubernetes/mine.txt',
      'link lo',
      'link docker0',
      'table inet mine',
      'remains cni 87-podman.conflist',
    ]);
  },
);
