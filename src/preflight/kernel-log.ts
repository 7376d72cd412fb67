import type { Facts } from '../hosts/facts/facts.js';
import { type ClusterHost, isNode } from '../inventory/cluster.js';
import { type FailedCheck, failIf } from './check.js';

/** A kubelet reads the kernel's log for processes that were killed for memory, and ends at once where it cannot. */
export const checkKernelLog = (host: ClusterHost, { system, machine }: Facts): readonly FailedCheck[] =>
  failIf(
    isNode(host) && (system?.kernelLog === 'absent' || system?.kernelLog === 'closed'),
    `${system?.kernelLog === 'absent' ? 'there is no /dev/kmsg' : '/dev/kmsg cannot be opened'}${
      machine?.kind === 'container' ? ` in this container (${machine.platform})` : ''
    }, and a kubelet does not start without the kernel's log`,
    machine?.kind === 'container'
      ? 'make a virtual machine or the machine itself the node, or give the container /dev/kmsg (LXC and Proxmox: lxc.mount.entry: /dev/kmsg dev/kmsg none bind,create=file in the settings of a privileged container)'
      : 'mknod -m 600 /dev/kmsg c 1 11, and see what keeps it from being made at boot',
  );
