import { isNode } from '../inventory/cluster.js';
import { failIf, type HostCheck } from './check.js';

/** A kubelet reads the kernel's log for processes that were killed for memory, and ends at once where it cannot. */
export const kernelLogCheck = {
  name: 'kernel-log',
  scope: 'host',
  summary: 'a node has the log of the kernel, /dev/kmsg, which containers as machines most often lack',
  fix: 'make a virtual machine the node, or give the container /dev/kmsg',
  check: (host, { system, machine }) =>
    failIf(
      isNode(host) && (system?.kernelLog === 'absent' || system?.kernelLog === 'closed'),
      `${system?.kernelLog === 'absent' ? 'there is no /dev/kmsg' : '/dev/kmsg cannot be opened'}${
        machine?.kind === 'container' ? ` in this container (${machine.platform})` : ''
      }, and a kubelet does not start without the kernel's log`,
      machine?.kind === 'container'
        ? 'make a virtual machine or the machine itself the node, or give the container /dev/kmsg (LXC and Proxmox: lxc.mount.entry: /dev/kmsg dev/kmsg none bind,create=file in the settings of a privileged container)'
        : 'mknod -m 600 /dev/kmsg c 1 11, and see what keeps it from being made at boot',
    ),
} satisfies HostCheck;
