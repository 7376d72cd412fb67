import { apiServerPort, ingressPorts } from '../cluster.js';
import { didYouMean, shortList } from '../did-you-mean.js';
import type { InventoryError, Path } from '../inventory-error.js';
import { inventoryError } from '../inventory-error.js';
import { targetWords } from '../lan-services.js';
import type { PartialHost, PartialInventory } from '../partial.js';
import { hasRole, hostsOf, isNode, rolesRead } from '../partial.js';
import { componentPorts, nodePorts } from '../ports.js';
import { defaults } from '../schema/schema.js';

/** Forwarded ports are free on the load balancers, and lead to hosts that there are. */
export const checkForwards = (draft: PartialInventory): readonly InventoryError[] => {
  const forwards = forwardsIn(draft);
  if (forwards.length === 0) return [];
  return [
    ...checkBalancers(draft, ['loadBalancer', 'forward']),
    ...forwards.flatMap((forward) => {
      const taken = checkPort(draft, forward, forwards);
      return taken.length > 0 ? taken : checkLoop(draft, forward, forwards);
    }),
    ...forwards.flatMap((forward) => checkTargets(draft, forward)),
  ];
};

interface PartialForward {
  readonly path: Path;
  /** Undefined where it could not be read. */
  readonly port: number | undefined;
  readonly targetPort: number | undefined;
  readonly to: readonly { readonly path: Path; readonly word: string }[];
}

const forwardsIn = ({ loadBalancer }: PartialInventory): readonly PartialForward[] =>
  Object.entries(loadBalancer?.forward ?? {}).flatMap(([index, forward]) => {
    if (forward === undefined) return [];
    const path = ['loadBalancer', 'forward', Number(index)];
    const { port, to } = forward;
    const words = typeof to === 'string' ? [[path.concat('to'), to] as const] : listed([...path, 'to'], to);
    return [
      {
        path,
        port,
        targetPort: 'targetPort' in forward ? forward.targetPort : port,
        to: words.map(([at, word]) => ({ path: at, word })),
      },
    ];
  });

const listed = (
  path: Path,
  to: { readonly [index: number]: string | undefined } | undefined,
): readonly (readonly [Path, string])[] =>
  Object.entries(to ?? {}).flatMap(([index, word]) =>
    word === undefined ? [] : [[[...path, Number(index)], word] as const],
  );

const balancersOf = (draft: PartialInventory) => hostsOf(draft).filter(([, host]) => hasRole(host, 'load-balancer'));

/** Load balancers of kbs's own pass ports on. */
export const checkBalancers = (draft: PartialInventory, path: Path): readonly InventoryError[] => {
  if (draft.endpoint?.external === true) {
    return [
      inventoryError(
        path,
        'endpoint.external means that kbs installs no load balancer; have yours pass these ports on',
      ),
    ];
  }
  return balancersOf(draft).length === 0 && rolesRead(draft)
    ? [inventoryError(path, 'needs a host with the role load-balancer, which passes these ports on')]
    : [];
};

const checkPort = (
  draft: PartialInventory,
  { path, port }: PartialForward,
  all: readonly PartialForward[],
): readonly InventoryError[] => {
  if (port === undefined) return [];
  const at = [...path, 'port'];
  const first = all.find((other) => other.port === port);
  if (first !== undefined && first.path !== path) {
    return [inventoryError(at, `${port} is forwarded already; write another port, or both targets in one \`to\``)];
  }
  const holder = balancersOf(draft)
    .flatMap(([name, host]) =>
      portsOn(draft, host).map(([taken, owner]) => ({ taken, text: `is the port of ${owner} on ${name}` })),
    )
    .find(({ taken }) => taken === port);
  if (holder !== undefined) return [inventoryError(at, `${port} ${holder.text}; write another`)];
  const [low, high] = nodePorts;
  const node = balancersOf(draft).find(([, host]) => isNode(host, draft));
  return node !== undefined && low <= port && port <= high
    ? [
        inventoryError(
          at,
          `${port} may become the NodePort of a Service on ${node[0]}; write one below ${low} or above ${high}`,
        ),
      ]
    : [];
};

/** The ports that something on a load balancer has, or will have. */
const portsOn = (draft: PartialInventory, host: PartialHost): readonly (readonly [port: number, owner: string])[] => {
  const api = apiPort(draft);
  const ssh = host.ssh !== undefined && 'port' in host.ssh ? host.ssh.port : (draft.ssh?.port ?? 22);
  return [
    ...(api === undefined ? [] : [[api, 'the API'] as const]),
    ...(ssh === undefined ? [] : [[ssh, 'SSH'] as const]),
    ...componentPorts.loadBalancer,
    ...(hasRole(host, 'control-plane') ? componentPorts.controlPlane : []),
    ...(hasRole(host, 'control-plane') && draft.kubernetes?.etcd?.external === undefined ? componentPorts.etcd : []),
    ...(isNode(host, draft) ? componentPorts.node : []),
    ...(isNode(host, draft) && draft.addons?.['load-balancer-services'] ? componentPorts.announcer : []),
    ...(hasRole(host, 'dns') ? componentPorts.dns : []),
    ...(draft.addons?.monitoring === undefined ? [] : componentPorts.metrics),
    ...ingressPortsOn(draft, host),
  ];
};

/** haproxy has them for the ingress controller, or the controller itself. */
const ingressPortsOn = (draft: PartialInventory, host: PartialHost): readonly (readonly [number, string])[] => {
  const passed = draft.endpoint?.ingress === true;
  const runs = draft.addons?.ingress !== undefined && hasRole(host, 'worker');
  return passed || runs ? ingressPorts.map(({ port }) => [port, 'the ingress controller'] as const) : [];
};

const checkTargets = (draft: PartialInventory, { to }: PartialForward): readonly InventoryError[] => {
  const hosts = Object.keys(draft.hosts ?? {});
  return to.flatMap(({ path, word }) => {
    if (isRoleWord(word)) {
      return targetsOf(draft, word).length === 0 && rolesRead(draft)
        ? [inventoryError(path, `${word}: the inventory has none; write names of hosts, or give a host that role`)]
        : [];
    }
    if (hosts.includes(word) || draft.hosts === undefined) return [];
    const meant = didYouMean(word, [...targetWords, ...hosts]);
    const hint =
      meant === undefined
        ? `write ${targetWords.join(', ')} or names of ${shortList(hosts)}`
        : `did you mean ${meant}?`;
    return [inventoryError(path, `there is no host ${word}; ${hint}`)];
  });
};

const isRoleWord = (word: string): word is (typeof targetWords)[number] => targetWords.some((known) => known === word);

const targetsOf = (draft: PartialInventory, word: string): readonly (readonly [string, PartialHost])[] =>
  hostsOf(draft).filter(([name, host]) => {
    if (word === 'workers') return hasRole(host, 'worker');
    if (word === 'control-planes') return hasRole(host, 'control-plane');
    return word === 'nodes' ? isNode(host, draft) : name === word;
  });

/** haproxy that passes connections on to itself would do so without end. */
const checkLoop = (
  draft: PartialInventory,
  { path, targetPort, to }: PartialForward,
  all: readonly PartialForward[],
): readonly InventoryError[] => {
  const forwarded = all.map(({ port }) => port);
  const looped = to
    .flatMap(({ word }) => targetsOf(draft, word))
    .find(
      ([, host]) =>
        hasRole(host, 'load-balancer') && [...forwarded, ...haproxyPorts(draft, host)].includes(targetPort ?? 0),
    );
  return looped === undefined
    ? []
    : [
        inventoryError(
          [...path, 'targetPort'],
          `${targetPort} is a port of haproxy itself on ${looped[0]}, one of the targets; write another`,
        ),
      ];
};

/** Beside an API server, haproxy has that server's port on the virtual address alone. */
const haproxyPorts = (draft: PartialInventory, host: PartialHost): readonly (number | undefined)[] => {
  const api = apiPort(draft);
  return [
    ...componentPorts.loadBalancer.map(([port]) => port),
    ...(hasRole(host, 'control-plane') && api === apiServerPort ? [] : [api]),
  ];
};

/** Undefined where it could not be read. */
const apiPort = ({ endpoint }: PartialInventory): number | undefined =>
  endpoint !== undefined && 'port' in endpoint ? endpoint.port : defaults.port;
