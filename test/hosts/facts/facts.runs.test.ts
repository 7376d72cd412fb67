import { hostname } from 'node:os';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { archOfThisMachine, machineNames } from '../../../src/artifacts/arch.js';
import { parseFacts, unreadableCa } from '../../../src/hosts/facts/facts.js';
import { factsScript } from '../../../src/hosts/facts/script.js';
import { query } from '../../../src/hosts/host.js';
import { fingerprintOf } from '../../../src/pki/certificate.js';
import { testCertificate } from '../../pki/keys.js';
import { createWorld } from '../../resources/overlay-host.js';
import { here } from '../../support/here.js';
import { partOfFacts } from '../../support/known-facts.js';
import { lacks } from '../../support/needs.js';

test('this machine answers every question', async () => {
  const from = Math.floor(Date.now() / 1000);
  const { code, stdout } = await here().query(query(factsScript));
  expect(code).toBe(0);
  const facts = parseFacts(stdout);
  expect(facts).toMatchObject({
    hostname: hostname(),
    arch: machineNames[archOfThisMachine()],
    uid: process.getuid?.(),
  });
  expect(facts.controllers).toContain('memory');
  expect(facts.tools).toContain('sha256sum');
  expect(facts.cpus).toBeGreaterThan(0);
  expect(facts.clock).toBeGreaterThanOrEqual(from);
});

test('a program that begins to listen while ss looks is known by name all the same', async () => {
  const line = 'LISTEN 0 4096 127.0.0.1:10256 0.0.0.0:*';
  const script = `looks=$(mktemp)
ss() {
  case $1 in -Hltnp) ;; *) return 0 ;; esac
  echo x >> "$looks"
  if [ "$(wc -l < "$looks")" = 1 ]; then echo '${line}'; else echo '${line} users:(("kube-proxy",pid=7,fd=3))'; fi
}
${factsScript}
rm "$looks"`;
  const { stdout } = await execa('sh', ['-eu'], { input: script });
  expect(parseFacts(stdout).listeners).toEqual([{ port: 10256, process: 'kube-proxy' }]);
});

test.skipIf(lacks('root'))('files that others left are found, and drop-ins only where they count', async () => {
  const script = `mount -t tmpfs none /etc
mkdir -p /etc/cni/net.d
touch /etc/cni/net.d/05-cilium.conflist /etc/cni/net.d/10-kbs.conflist /etc/cni/net.d/99-loopback.conf /etc/cni/net.d/README
mount -t tmpfs none /usr/local/lib
drop_in() { mkdir -p "\${1%/*}"; printf '[Service]\\n%s\\n' "$2" > "$1"; }
drop_in /usr/local/lib/systemd/system/kubelet.service.d/10-kubeadm.conf ExecStart=/usr/bin/kubelet
drop_in /usr/local/lib/systemd/system/kubelet.service.d/20-masked.conf ExecStart=/usr/bin/kubelet
drop_in /usr/local/lib/systemd/system/etcd.service.d/replaced.conf 'ExecStart = /usr/bin/etcd'
drop_in /etc/systemd/system/etcd.service.d/replaced.conf Nice=5
drop_in /etc/systemd/system/containerd.service.d/proxy.conf Environment=HTTP_PROXY=http://10.0.0.1
drop_in /etc/systemd/system/containerd.service.d/own.conf 'ExecStart='
mkdir -p /etc/systemd/system/kubelet.service.d
ln -s /dev/null /etc/systemd/system/kubelet.service.d/20-masked.conf
mkdir -p /etc/containerd/conf.d
touch /etc/containerd/conf.d/50-kbs.toml /etc/containerd/conf.d/90-own.toml /etc/containerd/conf.d/README
${factsScript}`;
  const { stdout } = await execa('unshare', ['--mount', 'sh', '-eu'], { input: script });
  expect(parseFacts(stdout)).toMatchObject({
    cniConfigs: ['99-loopback.conf', '05-cilium.conflist', '10-kbs.conflist'],
    commandDropIns: [
      '/etc/systemd/system/containerd.service.d/own.conf',
      '/usr/local/lib/systemd/system/kubelet.service.d/10-kubeadm.conf',
    ],
    dropIns: [
      '/etc/systemd/system/containerd.service.d/own.conf',
      '/etc/systemd/system/containerd.service.d/proxy.conf',
      '/usr/local/lib/systemd/system/kubelet.service.d/10-kubeadm.conf',
      '/etc/containerd/conf.d/90-own.toml',
    ],
  });
});

describe.skipIf(lacks('root'))('the resolvers that pods inherit', () => {
  const stub = 'nameserver 127.0.0.53';
  test.each<[string, string, string, string]>([
    ['of a plain file', 'echo nameserver 10.0.0.1 > /etc/resolv.conf', '/etc/resolv.conf', '10.0.0.1'],
    [
      'of systemd-resolved',
      `mkdir -p /run/systemd/resolve; echo '${stub}' > /run/systemd/resolve/stub-resolv.conf
ln -s /run/systemd/resolve/stub-resolv.conf /etc/resolv.conf; echo nameserver 10.0.0.2 > /run/systemd/resolve/resolv.conf`,
      '/run/systemd/resolve/resolv.conf',
      '10.0.0.2',
    ],
    [
      'of systemd-resolved, which knows none',
      `mkdir -p /run/systemd/resolve; echo '${stub}' > /run/systemd/resolve/stub-resolv.conf
ln -s /run/systemd/resolve/stub-resolv.conf /etc/resolv.conf; echo '# none' > /run/systemd/resolve/resolv.conf`,
      '/run/systemd/resolve/resolv.conf',
      '',
    ],
    [
      'of a plain file beside a systemd-resolved that knows none',
      "mkdir -p /run/systemd/resolve; echo '# none' > /run/systemd/resolve/resolv.conf; echo nameserver 10.0.0.3 > /etc/resolv.conf",
      '/etc/resolv.conf',
      '10.0.0.3',
    ],
  ])('are those %s', async (_, before, resolvConf, server) => {
    const script = `mount -t tmpfs none /etc; mount -t tmpfs none /run
${before}\n${partOfFacts('resolv=/etc/resolv.conf', 'fact resolver ')}`;
    const { stdout } = await execa('unshare', ['--mount', 'sh', '-eu'], { input: script });
    const nameservers = server === '' ? [] : [server];
    expect(parseFacts(stdout)).toMatchObject({ resolvConf, nameservers, hostOnlyNameservers: [] });
  });
});

test.skipIf(lacks('root'))('to answer changes nothing on the host', async () => {
  const world = await createWorld();
  try {
    const before = await world.changes();
    expect(await world.run(factsScript)).toContain('hostname ');
    expect(await world.changes()).toBe(before);
  } finally {
    await world.end();
  }
});

describe.skipIf(lacks('root'))('the cluster that a host belongs to', async () => {
  const pem = await testCertificate();
  const fingerprint = fingerprintOf(pem);
  const other = fingerprintOf(await testCertificate());
  const file = '/etc/kubernetes/pki/ca.crt';
  const put = (path: string, text: string): string =>
    `mkdir -p ${path.replace(/\/[^/]*$/, '')}; cat > ${path} <<'END'\n${text}\nEND\n`;

  test.each<[string, string, string | undefined]>([
    ['that was never in one', ':', undefined],
    ['that has a CA', put(file, pem), fingerprint],
    ['that has a CA with text around it', put(file, `subject=CN = kubernetes\n${pem}\nbye`), fingerprint],
    ['that has two CAs', put(file, `${pem}${await testCertificate()}`), fingerprint],
    ['that has an empty file', put(file, ''), unreadableCa],
    ['that has half a certificate', put(file, pem.slice(0, 300)), unreadableCa],
    ['that has garbage', put(file, pem.replaceAll('M', '*')), unreadableCa],
    ['that has a folder in its place', `mkdir -p ${file}`, unreadableCa],
    ['that has a link to nothing', `mkdir -p ${file.slice(0, -7)}; ln -s nothing ${file}`, unreadableCa],
    ['whose haproxy is not of kbs', put('/etc/haproxy/ca.crt', pem), undefined],
    ['that is a load balancer', `${put('/etc/haproxy/ca.crt', pem)}${put('/etc/kbs/haproxy-health', '')}`, fingerprint],
  ])('of a host %s', async (_, before, expected) => {
    expect(other).not.toBe(fingerprint);
    const script = `mount -t tmpfs none /etc\n${before}\n${partOfFacts('ca=/etc/kubernetes/pki/ca.crt')}`;
    const { stdout } = await execa('unshare', ['--mount', 'sh', '-eu'], { input: script });
    expect(parseFacts(stdout).clusterCa).toBe(expected);
  });

  test('is unreadable, not absent, for a user who may not search the folder', async () => {
    const script = `mount -t tmpfs none /etc; mkdir -p -m 700 /etc/kubernetes
cat > /etc/facts.sh <<'END'
${factsScript}
END`;
    const { stdout } = await execa('unshare', [
      '--mount',
      'sh',
      '-euc',
      `${script}\nexec setpriv --reuid 65534 --regid 65534 --clear-groups sh -eu /etc/facts.sh`,
    ]);
    expect(parseFacts(stdout)).toMatchObject({ uid: 65534, clusterCa: unreadableCa });
  });
});
