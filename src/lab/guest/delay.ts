import { sh } from '../../hosts/shell.js';
import type { Cable, HostSpec, LabSpec } from '../spec.js';
import { onGuest } from './on-guest.js';

/**
 * The hosts of a segment that stand in the way of a delay made by its guests alone: a packet between two of them passes
 * no guest. None where there is at most one, the lab's router among them.
 */
export const betweenContainers = (spec: LabSpec, bridge: string): readonly string[] => {
  const hosts = spec.hosts.filter((host) => host.guest === undefined && cableTo(host, bridge) !== undefined);
  const names = [...hosts.map(({ name }) => name), ...spec.router.filter(isOn(bridge)).map(() => 'the router')];
  return names.length > 1 ? names : [];
};

/** Makes the guests of a segment delay it, over their reboots too; 0 ends that. All of them must run. */
export const delayInGuests = async (state: string, spec: LabSpec, bridge: string, ms: number): Promise<void> => {
  const guests = spec.hosts.flatMap((host) => {
    const cable = host.guest === undefined ? undefined : cableTo(host, bridge);
    return cable === undefined ? [] : [{ host, cable }];
  });
  await Promise.all(
    guests.map(({ host, cable }) => {
      const others = guests.filter((other) => other.host !== host).map((other) => other.cable.mac);
      return onGuest(state, host, ms === 0 ? quicken(cable) : slowDown(cable, others, ms));
    }),
  );
};

/**
 * Every packet is late once: what a guest sends, and what it gets from where nothing else delays, which is all but other
 * guests. tc-netem(8) delays what leaves a link; so what arrives is sent through another one, an ifb.
 */
export const slowDown = ({ link }: Cable, otherGuests: readonly string[], ms: number): string => {
  const late = `netem limit 100000 delay ${ms}ms`;
  const script = [
    undo(link),
    `tc qdisc add dev ${link} root ${late}`,
    `ip link add ${ifb(link)} type ifb`,
    `ip link set ${ifb(link)} up`,
    `tc qdisc add dev ${ifb(link)} root ${late}`,
    `tc qdisc add dev ${link} ingress`,
    ...otherGuests.map(
      (mac) => `tc filter add dev ${link} ingress pref 1 protocol all flower src_mac ${mac} action pass`,
    ),
    `tc filter add dev ${link} ingress pref 2 protocol all matchall action mirred egress redirect dev ${ifb(link)}`,
  ].join('\n');
  // A power cut right after this would leave an empty file.
  return sh`printf '%s\\n' ${script} > ${atBoot(link)} && sync && sh -eu ${atBoot(link)}`;
};

const quicken = ({ link }: Cable): string => `rm -f ${atBoot(link)}\n${undo(link)}`;

const undo = (link: string): string => `tc qdisc delete dev ${link} root 2>/dev/null || :
tc qdisc delete dev ${link} ingress 2>/dev/null || :
ip link delete ${ifb(link)} 2>/dev/null || :`;

const ifb = (link: string): string => `late-${link}`;

/** Run at boot after the addresses are there. */
const atBoot = (link: string): string => `/etc/kbs-lab/delay-${link}`;

const cableTo = (host: HostSpec, bridge: string): Cable | undefined => host.cables.find(isOn(bridge));

const isOn =
  (bridge: string) =>
  (cable: Cable): boolean =>
    cable.bridge === bridge;
