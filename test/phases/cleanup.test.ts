import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { etcdCleanup, podCleanup } from '../../src/phases/cleanup.js';
import { memberData } from '../../src/phases/control-plane/etcd-member.js';
import { removeKubelet } from '../../src/phases/control-plane/remove-kubelet.js';
import { recordPath } from '../../src/resources/original.js';
import { createWorld, type World } from '../resources/overlay-host.js';
import { clusterOf } from '../support/cluster.js';
import { lacks } from '../support/needs.js';
import { contextOf } from '../support/site.js';

const cluster = clusterOf();
const [host] = cluster.hosts;
if (!host) throw new Error('no host');

describe.skipIf(lacks('root'))('what programs left, on a real shell', () => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld();
    await world.run('mkdir -p /var/lib/kbs/before /var/lib/etcd /var/lib/kubelet /var/lib/kubelet-backup');
  });
  afterAll(() => world.end());

  const here = (path: string) =>
    world.run(`find ${path} -mindepth 1 | sort`).then((text) => text.split('\n').filter(Boolean));

  it.each([
    ['none', []],
    ['was', []],
    ['no note at all', ['/var/lib/etcd/member', '/var/lib/etcd/member/wal']],
  ])('etcd data in a directory that stays, where its program has %s', async (suffix, left) => {
    const undo = memberData(host, contextOf(cluster)).undo ?? '';
    await world.run(`rm -rf /var/lib/kbs/before/*; mkdir -p /var/lib/etcd/member/wal
touch '${recordPath('/usr/local/bin/etcd')}.${suffix}'
${undo}`);
    expect(await here('/var/lib/etcd')).toEqual(left);
  });

  it.each([
    ['a directory', 'mkdir /var/lib/etcd'],
    ['a link to another disk', 'mkdir -p /srv/etcd; ln -s /srv/etcd /var/lib/etcd'],
  ])('the data directory that a restore replaced and kept, where the data are in %s', async (_, given) => {
    await world.run(`rm -rf /var/lib/etcd; ${given}
data=$(readlink -f /var/lib/etcd)
mkdir -p $data/member $data/.kbs-restore $data/before-restore-1/member $data.before-restore-2/member $data-theirs
${etcdCleanup.remove}`);
    expect(await world.run('cd "$(readlink -f /var/lib/etcd)/.."; echo etcd*; ls -A etcd')).toBe(
      'etcd etcd-theirs\nmember\n',
    );
    await world.run('rm -rf "$(readlink -f /var/lib/etcd)"*');
  });

  it("pods' mounts go, and an administrator's own stay", async () => {
    const mounts = [
      '/var/lib/kubelet',
      '/var/lib/kubelet/pods/a',
      '/var/lib/kubelet-backup',
      '/run/containerd/io.containerd.runtime.v2.task/k8s.io/a/rootfs',
      '/run/containerd/io.containerd.grpc.v1.cri/sandboxes/a/shm',
      '/run/containerd/io.containerd.runtime.v2.task/moby/a/rootfs',
      '/run/containerd-theirs',
    ];
    const made = mounts.map((path) => `mkdir -p ${path}; mount -t tmpfs tmpfs ${path}`);
    await world.run(`${made.join('\n')}\n( ${podCleanup.stop}\n)`);
    const left = await world.run("awk '{ print $5 }' /proc/self/mountinfo");
    expect(mounts.filter((path) => left.split('\n').includes(path))).toEqual([
      '/var/lib/kubelet',
      '/var/lib/kubelet-backup',
      '/run/containerd/io.containerd.runtime.v2.task/moby/a/rootfs',
      '/run/containerd-theirs',
    ]);
  });

  it("only this kubelet's processes end, not those of a machine within this one, nor Docker's", async () => {
    const left = await world.run(`mount -t tmpfs tmpfs /sys/fs/cgroup; touch /sys/fs/cgroup/cgroup.controllers
for group in kubepods.slice/pod1 system.slice/docker-1.scope/kubelet.slice/kubepods.slice/pod2; do
  procs=/sys/fs/cgroup/$group/cgroup.procs; mkdir -p "\${procs%/*}"
  # As in a real group, a process that has ended is in no list.
  sh -c "trap ': > $procs; exit' TERM; while :; do sleep 0.1; done" </dev/null >/dev/null 2>&1 &
  echo $! > $procs; echo $! > /run/pod-\${group##*/}
done
cp /bin/bash /usr/local/bin/containerd-shim-runc-v2
for namespace in k8s.io moby; do
  /usr/local/bin/containerd-shim-runc-v2 -c 'while :; do sleep 1; done' shim -namespace $namespace -id a </dev/null >/dev/null 2>&1 &
  echo $! > /run/shim-$namespace
done
( ${podCleanup.stop}
)
for each in /run/pod-* /run/shim-*; do
  read -r pid < $each
  case $(cat /proc/$pid/stat 2>/dev/null) in '' | *') Z '*) echo ended ;; *) echo runs; kill $pid ;; esac
done
umount /sys/fs/cgroup`);
    expect(left.trim().split('\n')).toEqual(['ended', 'runs', 'ended', 'runs']);
  });

  it('systemd lets go of the slices that a kubelet had it make, and of no other', async () => {
    const left = await world.run(`mkdir -p /run/slices
touch /run/slices/kubepods.slice /run/slices/kubepods-burstable.slice /run/slices/system.slice
cat > /usr/local/sbin/systemctl <<'END'
#!/bin/sh
case "$*" in
  'list-units '*) ls /run/slices | sed 's/$/ loaded active active/' ;;
  'stop kubelet.service') ;;
  'stop '*) shift; cd /run/slices; rm "$@" ;;
esac
END
chmod +x /usr/local/sbin/systemctl
( ${podCleanup.stop}
)
( ${podCleanup.stop}
)
rm /usr/local/sbin/systemctl
ls /run/slices`);
    expect(left).toBe('system.slice\n');
  });

  it.each([
    ['ours', 'none', ['/var/lib/kubelet/lost+found', '/var/lib/kubelet/pki']],
    ['one that was there before', 'was', ['/var/lib/kubelet/lost+found', '/var/lib/kubelet/pki']],
    ['a kubelet that is not', 'no note at all', undefined],
  ])('what the kubelet made: %s', async (_, suffix, left) => {
    await world.run(`rm -rf /var/lib/kubelet/*; rm -rf /var/lib/kbs/before/*
touch '${recordPath('/etc/kubernetes/kubelet.conf')}.${suffix}'
cd /var/lib/kubelet; mkdir -p lost+found pki pods/a/volumes plugins device-plugins; touch cpu_manager_state`);
    const before = await here('/var/lib/kubelet');
    await world.run(podCleanup.remove);
    expect(await here('/var/lib/kubelet')).toEqual(left ?? before);
  });

  it.each([
    ['made', 'none', []],
    ['found', 'was', ['/var/log/pods/a']],
  ])('what programs wrote into a directory that kbs %s', async (_, suffix, left) => {
    const [, ended] = removeKubelet.resources(host, contextOf(cluster));
    const run = ended?.kind === 'task' ? ended.run : '';
    const part = run.slice(run.indexOf('find /var/lib/cni'), run.indexOf('rmdir /etc/kubernetes/manifests'));
    await world.run(`rm -rf /var/lib/kbs/before/* /var/log/pods; mkdir -p /var/log/pods/a
touch '${recordPath('/var/log/pods')}.${suffix}'
${part}`);
    expect(await here('/var/log/pods')).toEqual(left);
  });

  describe('the Node of a control plane that is no node any more', () => {
    const [task] = removeKubelet.resources(host, contextOf(cluster));
    if (task?.kind !== 'task') throw new Error('the first resource is no task');
    const run = task.run.replace(podCleanup.stop, 'echo halt >> /run/told');

    it.each([
      ['its kubelet runs', 'echo node/x', 'true', ['drain', 'stop', 'delete node'], true],
      ['its kubelet has stopped', 'echo node/x', 'false', ['cordon', 'halt', 'delete pods', 'delete node'], true],
      ['there is none', ':', 'true', [], true],
      ['the API server does not say', 'false', 'true', [], false],
    ])('where %s', async (_, node, active, told, well) => {
      await world.run(`mkdir -p /usr/local/bin /run/bin; : > /run/told
cat > /usr/local/bin/kubectl <<'END'
#!/bin/sh
shift 3
case $* in
  'get node'*) ${node} ;;
  delete*) echo "$1 $2" >> /run/told ;;
  *) echo "$1" >> /run/told ;;
esac
END
cat > /run/bin/systemctl <<'END'
#!/bin/sh
case $* in *is-active*) ${active} ;; *) echo "$1" >> /run/told ;; esac
END
chmod +x /usr/local/bin/kubectl /run/bin/systemctl`);
      const ended = await world.run(`PATH=/run/bin:$PATH\n(${run}\n)`).then(
        () => true,
        () => false,
      );
      expect((await world.run('cat /run/told')).split('\n').filter(Boolean)).toEqual(told);
      expect(ended).toBe(well);
    });
  });
});
