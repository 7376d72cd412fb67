import { type ChildProcess, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import type { Payload } from '../../src/hosts/host.js';
import { frame, parseHeader, reader } from '../../src/hosts/script/frame.js';
import { writeStdin } from '../../src/hosts/script/stdin.js';

/**
 * A throwaway host: this machine's own root below an overlay, in namespaces of its own. Scripts run there as root with
 * real shells, a real kernel and a network of their own; what they change lands in the overlay and goes with it. What
 * kbs may have left on this machine is hidden.
 */
export interface World {
  /** A process of the host, as this machine sees it: its namespaces are the host's. */
  readonly pid: number;
  run(script: string, payloads?: readonly Payload[]): Promise<string>;
  /** Every path that was changed so far, with its kind, mode, owner, times and content's digest. */
  changes(): Promise<string>;
  end(): Promise<void>;
}

/** Namespaces and overlays need root. */
export const worldsAreHere = process.getuid?.() === 0;

/** What the folder `remains` holds lies over this machine's root, as if it had been left there. */
export async function createWorld({ remains = '' } = {}): Promise<World> {
  const holder = spawn('unshare', ['-mnp', '--fork', '--kill-child', 'sh', '-c', root, 'sh', remains], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const inside = await childOf(holder);
  const enter = (...flags: readonly string[]) => ['-t', String(inside), '-m', '-n', '-p', ...flags, 'sh', '-c'];
  return {
    pid: inside,
    run: (script, payloads = []) => shell(enter('-r', '-w'), script, payloads),
    changes: () => shell(enter(), listing, []),
    end: () =>
      new Promise((resolve) => {
        holder.on('exit', () => resolve());
        holder.kill('SIGKILL');
      }),
  };
}

/** Paths that belong to kbs and to what it installs, as patterns of the shell relative to the root. */
const kbsPaths = [
  'var/lib/kbs etc/kbs usr/local/lib/kbs',
  'etc/kubernetes var/lib/kubelet var/lib/kube-proxy var/lib/etcd var/log/pods var/log/containers var/log/kubernetes',
  'etc/containerd var/lib/containerd opt/containerd etc/cni opt/cni var/lib/cni etc/coredns',
  'usr/local/bin/kube* usr/local/bin/etcd* usr/local/bin/containerd* usr/local/bin/ctr usr/local/bin/runc',
  ...['etc/systemd/system', 'etc/systemd/system/*.wants'].map(
    (folder) =>
      `${folder}/kbs* ${folder}/kube* ${folder}/etcd.* ${folder}/containerd.* ${folder}/coredns.* ${folder}/haproxy.* ${folder}/keepalived.*`,
  ),
  'etc/systemd/*.d/*kbs* etc/sysctl.d/*kbs* etc/modules-load.d/*kbs* etc/NetworkManager/*/*kbs*',
].join(' ');

/** A character device 0:0 in an overlay's upper layer hides what is below; its folders show with their own attributes. */
const root = `
set -eu
mount --make-rprivate /
mount -t tmpfs tmpfs /mnt
mkdir /mnt/hidden /mnt/remains /mnt/changes /mnt/work /mnt/root
[ -z "$1" ] || cp -a "$1/." /mnt/remains
for layer in / /mnt/remains; do
  cd $layer
  for path in ${kbsPaths}; do
    [ -e "$path" ] || [ -L "$path" ] || continue
    mkdir -p "/mnt/hidden/$(dirname "$path")"
    [ -e "/mnt/hidden/$path" ] || mknod "/mnt/hidden/$path" c 0 0
  done
done
cd /mnt/hidden
find . -type d | while read -r folder; do
  if [ -d "/$folder" ]; then
    for what in chown chmod touch; do $what --reference="/$folder" "$folder"; done
  fi
done
mount -t overlay -o lowerdir=/mnt/hidden:/mnt/remains:/,upperdir=/mnt/changes,workdir=/mnt/work overlay /mnt/root
mount -t proc proc /mnt/root/proc
mount -t sysfs sysfs /mnt/root/sys
mount --rbind /dev /mnt/root/dev
mount -t tmpfs tmpfs /mnt/root/run
exec chroot /mnt/root sh -c 'echo "$(cut -d " " -f 1 /proc/self/stat) ready"; exec sleep infinity'
`;

/** No access times: reading is not changing. */
const listing = `
cd /mnt/changes
find . -printf '%p %y %m %U:%G %T@ %C@ %l\\n' | sort
find . -type f -exec sha256sum {} + | sort -k 2`;

/** The pid, as this machine sees it, of the process that holds the namespaces. */
async function childOf(holder: ChildProcess): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    holder.stdout?.once('data', () => resolve());
    holder.once('exit', (code) => reject(new Error(`no world: unshare exited with ${code}`)));
  });
  const children = await readFile(`/proc/${holder.pid}/task/${holder.pid}/children`, 'utf8');
  return Number(children.trim());
}

/** Runs a script as the transports do: it comes first on stdin, then the payloads. Gives stdout, and throws stderr. */
async function shell(argv: readonly string[], script: string, payloads: readonly Payload[]): Promise<string> {
  const head = frame(script, 'test');
  const child = spawn('nsenter', [...argv, reader], { stdio: ['pipe', 'pipe', 'pipe'] });
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  const stdout = collect(child.stdout);
  const stderr = collect(child.stderr);
  await writeStdin(child.stdin, head, payloads, new AbortController().signal);
  const code = await ended;
  if (code !== 0) throw new Error(`exit ${code}: ${Buffer.concat(stderr).toString().trim()}`);
  const output = Buffer.concat(stdout);
  return output.subarray(parseHeader(output)?.end ?? 0).toString();
}

function collect(stream: NodeJS.ReadableStream): readonly Buffer[] {
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  return chunks;
}
