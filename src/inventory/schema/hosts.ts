import { z } from 'zod';
import {
  address,
  anyText,
  cidr,
  dnsLabel,
  formatProblem,
  ipv6Address,
  isMissing,
  labelKey,
  labelValue,
  taint,
  withExample,
} from '../formats.js';
import { fields } from './components.js';
import { choice, choiceProblem, integer, keys, list, map, text } from './fields.js';
import { ssh } from './ssh.js';
import { packages, swap, time } from './system.js';

const gpuVendors = ['nvidia', 'amd', 'none'] as const;

const gpu = z
  .union(
    [
      choice(gpuVendors, 'The maker.'),
      keys(
        'GPU',
        {
          vendor: choice(gpuVendors, 'The maker of the GPUs. `none`: pods get none, and kbs does not propose them.'),
          count: integer(
            1,
            64,
            'How many GPUs the host has: `kbs topology` and `kbs what-if` count them without asking it. The preflight check `gpu-count` warns where the machine has another number.',
          ).optional(),
          driver: choice(
            ['host', 'distribution'],
            'Where the driver comes from. `host`: it is there, and kbs leaves it as it is. `distribution`: where there is none, kbs installs the packages of the distribution. Default: `host`.',
          ).optional(),
          timeSlicing: integer(
            2,
            64,
            'How many pods share one GPU by taking turns, without a limit of memory between them. Default: each pod has its GPUs for itself.',
          ).optional(),
          mig: choice(
            ['none', 'single', 'mixed'],
            'How the instances of partitioned GPUs (MIG) are offered. `none`: not at all. `single`: as `nvidia.com/gpu`, where all are alike. `mixed`: each profile under its own name. Needed where MIG is on.',
          ).optional(),
        },
        'The GPUs of a host in detail.',
      ),
    ],
    {
      error: ({ input }) =>
        isMissing(input)
          ? `write one of ${gpuVendors.join(', ')}, or a map like { vendor: nvidia, timeSlicing: 4 }`
          : choiceProblem(gpuVendors, input),
    },
  )
  .meta({
    description:
      'The maker of the GPUs in this host: `nvidia`, `amd`, or `none` to leave them alone; or a map with `vendor`, `count`, `driver` (`host`, `distribution`), `timeSlicing` and `mig` (`none`, `single`, `mixed`), see docs/gpu.md.',
    examples: ['nvidia'],
  });

const lab = keys(
  'Lab',
  {
    platform: choice(
      ['container', 'vm'],
      '`container`: a systemd machine that shares the kernel of the machine the lab is on. `vm`: a QEMU guest with a kernel of its own. Default: `container`.',
    ).optional(),
    image: choice(
      ['debian-13', 'debian-12', 'debian-13-arm64'],
      'The system of a guest; `debian-13-arm64` has a processor of arm64, which other machines emulate. Default: `debian-13`.',
    ).optional(),
    memory: integer(512, 65_536, 'The memory of a guest, in MiB. Default: `2048`.').optional(),
    cpus: integer(1, 64, 'The processors of a guest. Default: `2`.').optional(),
  },
  'How `kbs lab` plays this host; all other commands ignore it.',
);

const ipv6 = z
  .union(
    [
      text(ipv6Address, 'An address.'),
      map('addresses by segment', dnsLabel, text(ipv6Address, 'An address.'), 'By the name of the segment.'),
    ],
    {
      error: ({ input }) =>
        typeof input === 'object' && input !== null
          ? 'is not a map of IPv6 addresses by segment, like { office: fd00:10::1, rack: fd00:20::1 }'
          : formatProblem(ipv6Address, input),
    },
  )
  .meta({
    description:
      "The host's IPv6 address in its segment, where `network.ipv6` says that the cluster has both families; of a router a map, with its address in every segment that it joins.",
    examples: ['fd00:192:168:10::10'],
  });

/** A machine of the inventory. */
export const host = keys(
  'Host',
  {
    address: text(
      address,
      "The host's address in its segment: where SSH goes, and what the kubelet calls itself. The segment is the one whose CIDR holds it.",
    ),
    roles: list(
      choice(['control-plane', 'worker', 'load-balancer', 'dns', 'router'], 'A role.'),
      '[worker]',
      'What the host does. `control-plane`: API server and etcd. `worker`: runs pods. `load-balancer`: holds the virtual address. `dns`: answers for the LAN. `router`: joins segments, and kbs sets its routes.',
    ).min(1, { error: () => 'has no role; write a list like [worker]' }),
    addresses: map(
      'addresses by segment',
      dnsLabel,
      text(address, 'An address.'),
      'For routers: the address in every segment that the router joins, by the name of the segment.',
    ).optional(),
    ipv6: ipv6.optional(),
    podCIDR: text(
      withExample(cidr, '10.244.10.0/24'),
      "The addresses of this host's pods. kbs chooses them, and writes them here where they would otherwise change.",
    ).optional(),
    gpu: gpu.optional(),
    hypervisor: text(
      anyText('a name', 'pve-00'),
      'The machine that this one is a guest of: `kbs what-if` takes its guests to fail together.',
    ).optional(),
    lab: lab.optional(),
    labels: map(
      'texts',
      labelKey,
      text(labelValue, 'A value.'),
      'Labels of the Kubernetes node. One that is taken away here is taken away there; those that others set stay.',
    ).optional(),
    taints: list(
      text(taint, 'A taint.'),
      '["nvidia.com/gpu=present:NoSchedule"]',
      'Taints of the Kubernetes node: `key=value:Effect` or `key:Effect`. One that is taken away here is taken away there; those that others set stay.',
    ).optional(),
    kubelet: fields(
      '{ maxPods: 200 }',
      'Fields of the KubeletConfiguration of this node, over those of `kubernetes.kubelet`, each as a whole: `{ systemReserved: { memory: 1Gi } }`.',
    ).optional(),
    swap: swap('Swap of this node, where that differs from `swap` above.').optional(),
    packages: packages('The same for this host, in place of `packages` above.').optional(),
    time: time('The same for this host, in place of `time` above.').optional(),
    ssh: ssh('How to log in here, where that differs from `ssh` above.').optional(),
  },
  'One machine.',
);
