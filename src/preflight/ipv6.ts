import type { Ipv6Facts } from '../hosts/facts/facts.js';
import type { FailedCheck, HostCheck } from './check.js';

export const ipv6AddressCheck = {
  name: 'ipv6-address',
  scope: 'host',
  summary:
    'in a cluster of IPv4 and IPv6, the kernel has IPv6 and the machine has the IPv6 addresses that the inventory gives it',
  fix: 'switch IPv6 on, give the interface the address, or correct `ipv6` in the inventory',
  check: ({ ipv6 }, { ipv6: facts }) => {
    if (ipv6 === undefined || facts === undefined) return [];
    if (!facts.isThere) {
      return [
        {
          detail: `the inventory gives the host ${ipv6.address}, and its kernel has no IPv6`,
          next: 'take ipv6.disable=1 off the kernel command line, or the module ipv6 off a list of modules that are not loaded, and reboot',
        },
      ];
    }
    return [...new Set([ipv6.address, ...Object.values(ipv6.addresses)])].flatMap((address) => missing(address, facts));
  },
} satisfies HostCheck;

const missing = (wanted: string, { addresses, disabledLinks }: Ipv6Facts): readonly FailedCheck[] => {
  const found = addresses.find(({ address }) => address.split('/')[0] === wanted);
  if (found?.isDuplicate) {
    return [
      {
        detail: `${wanted} on ${found.link} is the address of another machine too, so the kernel does not use it`,
        next: 'give one of the two another address, and correct `ipv6` in the inventory',
      },
    ];
  }
  if (found !== undefined) return [];
  const off = disabledLinks.filter((link) => !['lo', 'default'].includes(link));
  if (off.length > 0) {
    return [
      {
        detail: `${wanted} is not an address of this machine: IPv6 is switched off on ${off.join(', ')}`,
        next: `sysctl -w ${off.map((link) => `net.ipv6.conf.${link.replaceAll('.', '/')}.disable_ipv6=0`).join(' ')}, and in the file of sysctl.d or the network settings that switch it off; then give the interface its address`,
      },
    ];
  }
  const all = addresses.map(({ address }) => address).join(', ');
  return [
    {
      detail: `${wanted} is not an address of this machine (it has ${all || 'none of IPv6'})`,
      next: 'give the interface this address in the network settings of the machine, or correct `ipv6` in the inventory',
    },
  ];
};
