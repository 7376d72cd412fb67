import { defined } from '../../defined.js';
import { sh } from '../shell.js';
import { linesAfter } from './lines.js';

/** What sort of machine a host is. What could not be read is absent. */
export interface Machine {
  readonly kind?: 'physical' | 'virtual' | 'container';
  /** The hypervisor or the container manager, as systemd-detect-virt(1) names it: `kvm`, `vmware`, `docker`. */
  readonly platform?: string;
  /** The share of CPU time since boot that the hypervisor gave to others, from 0 to 1: `steal` of proc_stat(5). */
  readonly steal?: number;
  /** The clock source in use, and those that the kernel offers. */
  readonly clockSource?: string;
  readonly clockSources: readonly string[];
  /** Whether the hypervisor may take memory back: a balloon driver has a device. */
  readonly balloon: boolean;
  /** Whether the processor offers virtualization: in a guest, nested virtualization. */
  readonly nested: boolean;
  /** Vendor and product, from DMI. */
  readonly product?: string;
  /** Of DMI, in lower case; in a container it is that of the machine around it. */
  readonly productUuid?: string;
  /** MAC addresses of devices, in lower case, without bridges, tunnels and other links of software. */
  readonly macs: readonly string[];
  /** Fingerprints of the SSH host keys: `SHA256:…`. */
  readonly sshHostKeys: readonly string[];
}

/** Prints lines of `machine KEY VALUE`. Runs alone too. */
export const machineScript = sh`
machine() { if [ -n "$2" ]; then printf 'machine %s %s\\n' "$1" "$2"; fi; }
if command -v systemd-detect-virt >/dev/null; then
  machine vm "$(systemd-detect-virt --vm 2>/dev/null || :)"
  machine container "$(systemd-detect-virt --container 2>/dev/null || :)"
fi
machine cpu "$(awk '$1 == "cpu" { for (i = 2; i <= 9; i++) all += $i; printf "%.0f %.0f", $9, all }' /proc/stat)"
machine clock "$(cat /sys/devices/system/clocksource/clocksource0/current_clocksource 2>/dev/null || :)"
machine clocks "$(cat /sys/devices/system/clocksource/clocksource0/available_clocksource 2>/dev/null || :)"
for device in /sys/bus/virtio/drivers/virtio_balloon/virtio* /sys/bus/vmbus/drivers/hv_balloon/*-* \\
  /sys/module/vmw_balloon /sys/devices/system/xen_memory/xen_memory0; do
  if [ -e "$device" ]; then machine balloon yes; fi
done
if grep -qwE 'vmx|svm' /proc/cpuinfo; then machine nested yes; fi
machine product "$(cat /sys/class/dmi/id/sys_vendor /sys/class/dmi/id/product_name 2>/dev/null | tr -s '\\n ' ' ' || :)"
machine uuid "$(cat /sys/class/dmi/id/product_uuid 2>/dev/null || :)"
for device in /sys/class/net/*/device; do
  if [ -e "$device" ]; then machine mac "$(cat "\${device%/device}/address" 2>/dev/null || :)"; fi
done
if command -v ssh-keygen >/dev/null; then
  for key in /etc/ssh/ssh_host_*_key.pub; do
    if [ -e "$key" ]; then machine hostkey "$(ssh-keygen -lf "$key" 2>/dev/null | cut -d ' ' -f 2 || :)"; fi
  done
fi
`;

/** Reads what `machineScript` printed, among lines of others; undefined where it printed nothing. */
export const parseMachine = (output: string): Machine | undefined => {
  const lines = linesAfter('machine', output);
  if (lines === undefined) return undefined;
  const { all, one } = lines;
  return {
    ...sortOf(one('vm'), one('container')),
    clockSources: all('clocks').flatMap((names) => names.split(/\s+/)),
    balloon: all('balloon').length > 0,
    nested: all('nested').length > 0,
    macs: all('mac').map((mac) => mac.toLowerCase()),
    sshHostKeys: all('hostkey'),
    ...defined({
      steal: shareOf(one('cpu')),
      clockSource: one('clock'),
      product: one('product'),
      productUuid: one('uuid')?.toLowerCase(),
    }),
  };
};

/** A container on a guest is a container. */
const sortOf = (vm: string | undefined, container: string | undefined): Pick<Machine, 'kind' | 'platform'> => {
  if (container !== undefined && container !== 'none') return { kind: 'container', platform: container };
  if (vm === undefined) return {};
  return vm === 'none' ? { kind: 'physical' } : { kind: 'virtual', platform: vm };
};

/** Two numbers, a part and the whole. */
const shareOf = (text: string | undefined): number | undefined => {
  const [part = Number.NaN, whole = Number.NaN] = (text ?? '').split(' ').map(Number);
  return whole > 0 && part >= 0 ? part / whole : undefined;
};
