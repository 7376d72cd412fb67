import { isAddress } from '../addresses.js';
import { dnsLabel } from '../formats.js';

/** Names for hosts: DNS labels, each only once. `written` is what the tool calls a host, `role` names one without. */
export const hostNames = (
  hosts: readonly { readonly written: string | undefined; readonly role: string }[],
): readonly string[] => {
  const labels = hosts.map(({ written }) => (written === undefined ? undefined : labelOf(written)));
  const isShort = (label: string): boolean => labels.filter((other) => other?.split('.')[0] === label).length === 1;
  const taken = new Set<string>();
  const counts = new Map<string, number>();
  return hosts.map(({ role }, index) => {
    const label = labels[index];
    const short = label?.split('.')[0];
    const wanted =
      short !== undefined && isShort(short) && !isAddress(label ?? '') ? short : label?.replaceAll('.', '-');
    let name = wanted;
    while (name === undefined || name === '' || taken.has(name)) {
      const base = wanted || role;
      const count = counts.get(base) ?? 0;
      counts.set(base, count + 1);
      name = `${base}-${String(count).padStart(2, '0')}`;
    }
    taken.add(name);
    return name;
  });
};

/** A text as a DNS label: lower case, with dashes for all that a label cannot have. */
export const asDnsLabel = (text: string): string => labelOf(text).replaceAll('.', '-').slice(0, 63).replace(/-+$/, '');

const labelOf = (text: string): string =>
  dnsLabel.accepts(text)
    ? text
    : text
        .toLowerCase()
        .replaceAll(/[^a-z0-9.-]+/g, '-')
        .replaceAll(/^[-.]+|[-.]+$/g, '');

/** What a machine is called by where it is reached: the first label of a DNS name; an address is no name. */
export const machineName = (address: string | undefined): string | undefined =>
  address === undefined || isAddress(address) || address.includes(':') ? undefined : address.split('.')[0];
