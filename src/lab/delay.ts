import { rm } from 'node:fs/promises';
import { Failure } from '../failure.js';
import { sh } from '../hosts/shell.js';
import { exists, makeFile, readIfThere } from './files.js';
import { requireStanding } from './find.js';
import { betweenContainers, delayInGuests } from './guest/delay.js';
import { delayFile, guestDelayFile, type Places, placesOf, switchNamespace } from './paths.js';
import { bridgeOf } from './select-hosts.js';
import { shell } from './shell.js';
import type { Cable, LabSpec } from './spec.js';

/** Every packet that a segment delivers to one of its hosts comes this many milliseconds late. */
export interface Delay {
  readonly segment: string;
  readonly ms: number;
}

/**
 * Makes a segment slow, 0 makes it quick again: a round trip within it, or through it, takes twice that longer. Needs
 * the kernel's network emulator, tc-netem(8): this machine's, or those of guests where every packet of the segment comes
 * from one or goes to one.
 */
export const labDelay = async (
  lab: string,
  segment: string,
  ms: number,
  places: Places = placesOf(),
): Promise<void> => {
  if (!Number.isInteger(ms) || ms < 0 || ms > longest)
    throw new Failure('usage', `a delay is a whole number of milliseconds, 0 to ${longest}`);
  const { spec, state } = await requireStanding(places, lab);
  const bridge = bridgeOf(spec, segment);
  const [bySwitch, byGuests] = [delayFile(places, lab, bridge), guestDelayFile(places, lab, bridge)];
  if (ms === 0) {
    await shell(
      'ending the delay',
      plugsOf(spec, bridge)
        .map((plug) => quicken(lab, plug))
        .join('\n'),
    );
    await rm(bySwitch, { force: true });
    if (await exists(byGuests)) await delayInGuests(state, spec, bridge, 0);
    await rm(byGuests, { force: true });
  } else if (await slowDownAll(lab, plugsOf(spec, bridge), ms)) {
    await makeFile(bySwitch, `${ms}\n`);
  } else {
    requireGuests(spec, bridge, segment);
    await makeFile(byGuests, `${ms}\n`);
    await delayInGuests(state, spec, bridge, ms);
  }
};

/** Whether this machine's kernel could. */
const slowDownAll = (lab: string, plugs: readonly string[], ms: number): Promise<boolean> =>
  shell('delaying', plugs.map((plug) => slowDown(lab, plug, String(ms))).join('\n')).then(
    () => true,
    (error: unknown) => {
      if (error instanceof Failure && error.why.some((line) => line.includes('qdisc kind is unknown'))) return false;
      throw error;
    },
  );

/** A minute: clients that wait longer have given up. */
const longest = 60_000;

/** The delays of a lab's segments. */
export const readDelays = async (lab: string, spec: LabSpec, places: Places): Promise<readonly Delay[]> => {
  const found = await Promise.all(
    spec.segments.map(async ({ name, bridge }) => ({
      segment: name,
      ms: Number(
        (await readIfThere(delayFile(places, lab, bridge))) ??
          (await readIfThere(guestDelayFile(places, lab, bridge))) ??
          0,
      ),
    })),
  );
  return found.filter(({ ms }) => ms > 0);
};

/** Shell that gives cables that were plugged in anew the delays of their segments. */
export const delayAgain = (places: Places, lab: string, cables: readonly Cable[]): string =>
  cables
    .map(({ plug, bridge }) => {
      const file = delayFile(places, lab, bridge);
      return sh`if [ -e ${file} ]; then ms=$(cat ${file}); `.concat(slowDown(lab, plug, '${ms}'), '; fi');
    })
    .join('\n');

/** `ms` is digits or a shell variable. The limit is in packets: tc's own, 1000, would lose some on a quick segment. */
const slowDown = (lab: string, plug: string, ms: string): string =>
  sh`tc -n ${switchNamespace(lab)} qdisc replace dev ${plug} root netem limit 100000 delay `.concat(`"${ms}ms"`);

/** A cable that has no delay has nothing to remove. */
const quicken = (lab: string, plug: string): string =>
  sh`tc -n ${switchNamespace(lab)} qdisc delete dev ${plug} root 2>/dev/null || :`;

const plugsOf = (spec: LabSpec, bridge: string): readonly string[] =>
  [...spec.hosts.flatMap(({ cables }) => cables), ...spec.router]
    .filter((cable) => cable.bridge === bridge)
    .map(({ plug }) => plug);

const requireGuests = (spec: LabSpec, bridge: string, segment: string): void => {
  const containers = betweenContainers(spec, bridge);
  if (containers.length === 0) return;
  throw new Failure(
    'preflight',
    `this kernel has no network emulator (sch_netem), so what ${containers.join(' and ')} of ${segment} say to each other cannot be delayed`,
    { next: 'modprobe sch_netem; or leave at most one of them no virtual machine: kbs lab up --vm HOST' },
  );
};
