import { hereDocument, raw, sh } from '../hosts/shell.js';
import { hostNamespace, routerNamespace, switchNamespace, uplink } from './paths.js';
import type { Cable, HostSpec, LabSpec } from './spec.js';

/**
 * The lab's network as shell text. All segments' bridges lie in one namespace, the switch. This machine reaches every
 * segment through an uplink into the switch, which answers hosts with its own address of their segment: so the operator's
 * way in never depends on the routers that kbs is there to set up, and no segment reaches another through it.
 */
export const switchUp = (lab: string, spec: LabSpec): string => {
  const [space, up] = [switchNamespace(lab), uplink(lab)];
  return [
    sh`ip netns add ${space}`,
    sh`ip link add ${up} type veth peer name operator netns ${space}`,
    ipIn(space, [
      'link set lo up',
      ...spec.segments.flatMap(({ bridge, address }) => [
        `link add ${bridge} type bridge forward_delay 0 mcast_snooping 0`,
        `addr add ${address} dev ${bridge}`,
        `link set ${bridge} up`,
      ]),
      `addr add ${switchEnd}/32 dev operator`,
      'link set operator up',
      `route add ${operatorEnd}/32 dev operator`,
    ]),
    sh`ip netns exec ${space} sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.send_redirects=0`,
    // Absent without br_netfilter; with it the rules for the operator would filter the packets of one segment.
    sh`ip netns exec ${space} sysctl -qew net.bridge.bridge-nf-call-iptables=0 net.bridge.bridge-nf-call-arptables=0`,
    sh`ip netns exec ${space} nft -f - ${raw(hereDocument(switchRules, 'RULES'))}`,
    ...(spec.router.length === 0 ? [] : [routerUp(lab, spec.router)]),
    sh`ip addr add ${operatorEnd}/32 dev ${up}`,
    sh`ip link set ${up} up`,
    ...spec.segments.map(({ cidr }) => sh`ip route add ${cidr} via ${switchEnd} dev ${up} onlink src ${operatorEnd}`),
  ].join('\n');
};

/** Makes a host's namespace and cables anew: kernel routes, nftables and sysctls of an earlier boot are gone. */
export const hostNetwork = (lab: string, host: HostSpec): string => {
  const space = hostNamespace(lab, host.name);
  return [
    sh`if [ -e ${`/run/netns/${space}`} ]; then ip netns delete ${space}; fi`,
    sh`ip netns add ${space}`,
    // A new machine forwards nothing, whatever this one does.
    sh`ip netns exec ${space} sysctl -qw net.ipv4.ip_forward=0`,
    plugIn(lab, space, host.cables),
    ...[host.gateway, host.ipv6Gateway].flatMap((via) =>
      via === undefined ? [] : [ipIn(space, [`route add default via ${via}`])],
    ),
  ].join('\n');
};

/** Plugs a guest's taps into the switch; QEMU holds their other ends. */
export const tapsIn = (lab: string, { cables }: HostSpec): string => {
  const hub = switchNamespace(lab);
  return [
    ...cables.map(({ plug }) => sh`ip -n ${hub} link delete ${plug} 2>/dev/null || :`),
    ipIn(
      hub,
      cables.flatMap(({ plug, bridge }) => [`tuntap add dev ${plug} mode tap`, `link set ${plug} master ${bridge} up`]),
    ),
  ].join('\n');
};

/** Pulls or plugs in all cables of a host, at the switch's end: the host sees its carrier go and come. */
export const cables = (lab: string, host: HostSpec, state: 'up' | 'down'): string =>
  ipIn(
    switchNamespace(lab),
    host.cables.map(({ plug }) => `link set ${plug} ${state}`),
  );

/**
 * Takes all plugs of a host off their bridges, or puts them back. The host keeps its carrier, as a machine that hangs
 * does; but none of its packets arrive, nor those of its kernel, which is this machine's and does not hang with it.
 */
export const plugs = (lab: string, host: HostSpec, where: 'off' | 'on'): string =>
  ipIn(
    switchNamespace(lab),
    host.cables.map(({ plug, bridge }) => `link set ${plug} ${where === 'off' ? 'nomaster' : `master ${bridge}`}`),
  );

/** A router such as a user's own: it joins the segments whose gateway it is and knows nothing of pods. */
const routerUp = (lab: string, ports: readonly Cable[]): string => {
  const space = routerNamespace(lab);
  return [
    sh`ip netns add ${space}`,
    plugIn(lab, space, ports),
    sh`ip netns exec ${space} sysctl -qw net.ipv4.ip_forward=1`,
    ...(ports.some(({ ipv6 }) => ipv6 !== undefined)
      ? [sh`ip netns exec ${space} sysctl -qw net.ipv6.conf.all.forwarding=1`]
      : []),
  ].join('\n');
};

const plugIn = (lab: string, space: string, ports: readonly Cable[]): string => {
  const hub = switchNamespace(lab);
  return [
    // The old pair dies with its namespace, but only some time later: the name must be free now.
    ...ports.map(({ plug }) => sh`ip -n ${hub} link delete ${plug} 2>/dev/null || :`),
    ipIn(hub, [
      ...ports.map(
        ({ plug, link, mac }) => `link add ${plug} type veth peer name ${link} address ${mac} netns ${space}`,
      ),
      ...ports.map(({ plug, bridge }) => `link set ${plug} master ${bridge} up`),
    ]),
    ipIn(space, [
      'link set lo up',
      ...ports.flatMap(({ link, address, ipv6 }) => [
        `addr add ${address} dev ${link}`,
        // Without looking for duplicates (RFC 4862, 5.4), for which programs that start at once would have to wait.
        ...(ipv6 === undefined ? [] : [`addr add ${ipv6} dev ${link} nodad`]),
        `link set ${link} up`,
      ]),
    ]),
  ].join('\n');
};

/** One process for many commands of ip; every word comes from a spec, none needs quotes. */
const ipIn = (space: string, commands: readonly string[]): string =>
  `ip -n ${space} -batch - <<'BATCH'\n${commands.join('\n')}\nBATCH`;

/** The two ends of every lab's uplink. Labs may share them: each route names its own link. */
const operatorEnd = '169.254.77.1';
const switchEnd = '169.254.77.2';

const switchRules = `table ip lab {
  chain forward {
    type filter hook forward priority filter; policy drop;
    iifname "operator" accept
    oifname "operator" ct state established,related accept
  }
  chain postrouting {
    type nat hook postrouting priority srcnat;
    ip saddr ${operatorEnd} masquerade
  }
}`;
