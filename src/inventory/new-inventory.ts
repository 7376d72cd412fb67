import { defined } from '../defined.js';
import { contains, isAddress, networkOf, nthAddress, parseCidr } from './addresses.js';
import { dnsName, formatProblem, userName } from './formats.js';

/** What an inventory is made from. */
export interface InventoryAnswers {
  /** IPv4 addresses, those of control planes first. */
  readonly hosts: readonly string[];
  readonly user: string;
  readonly segments: readonly { readonly cidr: string; readonly gateway?: string }[];
  readonly endpoint: { readonly vip?: string; readonly external?: string };
  readonly style: 'static-pods' | 'systemd';
}

/** What is known before anything is asked. */
export interface Surroundings {
  /** The addresses of this machine with their prefix lengths, `192.168.10.7/24`. */
  readonly own: readonly string[];
}

/** A question, whose answer is text. `parse` gives the value, or says in a sentence what is wrong with the text. */
export interface InventoryQuestion<Answer> {
  readonly text: string;
  fallback(before: Partial<InventoryAnswers>, around: Surroundings): string;
  parse(text: string, before: Partial<InventoryAnswers>): { readonly is: Answer } | string;
}

/** In the order in which they are asked: a fallback may follow from the answers before. */
export const inventoryQuestions: {
  readonly [Field in keyof InventoryAnswers]: InventoryQuestion<InventoryAnswers[Field]>;
} = {
  hosts: {
    text: 'Addresses of the hosts, control planes first',
    fallback: (_, { own }) => own[0]?.split('/')[0] ?? '',
    parse(text) {
      const hosts = wordsOf(text);
      if (hosts.length === 0) return 'write IPv4 addresses, with spaces between them';
      const wrong = hosts.find((host) => !isAddress(host));
      if (wrong !== undefined) return `${wrong} is not an IPv4 address`;
      const twice = hosts.find((host, index) => hosts.indexOf(host) < index);
      return twice === undefined ? { is: hosts } : `${twice} is there twice`;
    },
  },
  user: {
    text: 'User that logs in there; any but root needs sudo',
    fallback: () => 'root',
    parse: (text) => (userName.accepts(text) ? { is: text } : `${text} ${formatProblem(userName, text)}`),
  },
  segments: {
    text: 'Networks of the hosts, as CIDR or CIDR=ROUTER; several need their routers',
    fallback: ({ hosts = [] }, around) => {
      const cidrs = [...new Set(hosts.map((host) => networkAround(host, around)))];
      if (cidrs.length === 1) return cidrs.join('');
      return cidrs.map((cidr) => `${cidr}=${nthAddress(cidr, 1)}`).join(' ');
    },
    parse(text, { hosts = [] }) {
      const segments = wordsOf(text).map((word) => {
        const [cidr = '', gateway] = word.split('=');
        return { cidr, ...defined({ gateway }) };
      });
      const wrong = segments.find(({ cidr }) => parseCidr(cidr) === undefined || networkOf(cidr) !== cidr);
      if (wrong !== undefined) return `${wrong.cidr} is not a network like 192.168.10.0/24`;
      const outside = hosts.find((host) => !segments.some(({ cidr }) => contains(cidr, host)));
      if (outside !== undefined) return `${outside} is in none of these networks`;
      const stray = segments.find(
        ({ cidr, gateway }) => gateway !== undefined && !(isAddress(gateway) && contains(cidr, gateway)),
      );
      if (stray !== undefined) return `${stray.gateway} is not an address in ${stray.cidr}`;
      const bare = segments.length > 1 ? segments.find(({ gateway }) => gateway === undefined) : undefined;
      return bare === undefined
        ? { is: segments }
        : `${bare.cidr} needs its router: ${bare.cidr}=${nthAddress(bare.cidr, 1)}`;
    },
  },
  endpoint: {
    text: 'For the API: a free address that control planes hold together, external:NAME for a load balancer of yours, or none',
    fallback: ({ hosts = [], segments = [] }) => (hosts.length < 3 ? 'none' : freeAddress(hosts, segments)),
    parse(text, { hosts = [], segments = [] }) {
      if (text === 'none') return { is: {} };
      const [, external] = /^external:(.*)$/.exec(text) ?? [];
      if (external !== undefined) {
        return isAddress(external) || dnsName.accepts(external)
          ? { is: { external } }
          : `${external} is neither a name nor an address`;
      }
      if (!isAddress(text)) return `${text} is not an IPv4 address; write one, external:NAME or none`;
      if (hosts.includes(text)) return `${text} is the address of a host`;
      const segment = segments.find(({ cidr }) => contains(cidr, text));
      const [first = ''] = hosts;
      if (segment === undefined || !contains(segment.cidr, first))
        return `${text} is not in the network of ${first}, the first control plane`;
      return segment.gateway === text ? `${text} is a router` : { is: { vip: text } };
    },
  },
  style: {
    text: 'Control plane as static-pods, as kubeadm has it, or as services of systemd',
    fallback: () => 'static-pods',
    parse: (text) => (text === 'static-pods' || text === 'systemd' ? { is: text } : 'write static-pods or systemd'),
  },
};

/** Words between spaces or commas. */
const wordsOf = (text: string): readonly string[] => text.split(/[\s,]+/).filter((word) => word !== '');

/** The network of this machine that an address is in, else its /24. */
const networkAround = (address: string, { own }: Surroundings): string => {
  const near = own.map(networkOf).find((cidr) => contains(cidr, address) && Number(cidr.split('/')[1]) <= 30);
  return near ?? networkOf(`${address}/24`);
};

/** An address of the first host's network that is no host's and no router's; empty where there is none. */
const freeAddress = (hosts: readonly string[], segments: InventoryAnswers['segments']): string => {
  const [first = ''] = hosts;
  const segment = segments.find(({ cidr }) => contains(cidr, first));
  if (segment === undefined) return 'none';
  const taken = new Set([...hosts, segment.gateway, nthAddress(segment.cidr, 1)]);
  const size = parseCidr(segment.cidr)?.size ?? 0;
  const candidates = [...Array(Math.min(254, size - 2)).keys()].map((n) => nthAddress(segment.cidr, size - 2 - n));
  return candidates.find((address) => !taken.has(address)) ?? 'none';
};

/** An inventory from answers, as plain data. `own` are the addresses of this machine. */
export const newInventory = (
  name: string,
  version: string,
  { hosts, user, segments, endpoint, style }: InventoryAnswers,
  { own }: Surroundings,
): Readonly<Record<string, unknown>> => {
  const { vip, external } = endpoint;
  const controlPlanes = hosts.slice(0, hosts.length >= 3 && (vip ?? external) !== undefined ? 3 : 1);
  const workersToo = hosts.length <= 3 && controlPlanes.length === hosts.length;
  const vipSegment = segments.find(({ cidr }) => vip !== undefined && contains(cidr, vip));
  const holders = controlPlanes
    .filter((host) => vipSegment !== undefined && contains(vipSegment.cidr, host))
    .slice(0, 2);
  const here = new Set(own.map((cidr) => cidr.split('/')[0]));
  const entryOf = (address: string, index: number) => {
    const isControlPlane = index < controlPlanes.length;
    const number = String(isControlPlane ? index : index - controlPlanes.length).padStart(2, '0');
    const roles = [
      ...(isControlPlane ? ['control-plane'] : []),
      ...(isControlPlane && !workersToo ? [] : ['worker']),
      ...(holders.includes(address) ? ['load-balancer'] : []),
    ];
    const ssh = here.has(address) ? { ssh: { transport: 'local' } } : {};
    return [`${isControlPlane ? 'controller' : 'worker'}-${number}`, { address, roles, ...ssh }] as const;
  };
  return defined({
    apiVersion: 'kbs/v1',
    cluster: name,
    kubernetes: { version, ...(style === 'systemd' ? { controlPlane: style } : {}) },
    network: {
      segments: Object.fromEntries(
        segments.map((segment, index) => [segments.length === 1 ? 'lan' : `lan-${index}`, segment]),
      ),
    },
    endpoint:
      vip !== undefined
        ? { vip }
        : external === undefined
          ? undefined
          : { ...(isAddress(external) ? { vip: external } : { name: external }), external: true },
    ssh: { user },
    hosts: Object.fromEntries(hosts.map(entryOf)),
  });
};
