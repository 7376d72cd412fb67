import { Failure, Failures } from '../failure.js';
import type { LabRecord } from './lab.js';
import { type Places, uplink } from './paths.js';
import { shell } from './shell.js';
import { overlapping } from './spec.js';
import { labNames } from './state-file.js';

/** Refuses a lab whose segments this machine already reaches some other way: it could not tell the two apart. */
export const requireFreeNetworks = async (places: Places, { name, spec }: LabRecord): Promise<void> => {
  const labs = new Map((await labNames(places)).map((lab) => [uplink(lab), lab]));
  const failures = (await machineRoutes())
    .filter(({ device }) => device !== uplink(name))
    .flatMap(({ cidr, device }) =>
      overlapping(spec, cidr).map((segment) => {
        const lab = labs.get(device);
        return new Failure(
          'preflight',
          `segment ${segment.name} (${segment.cidr}) overlaps ${cidr}, which ${lab === undefined ? `this machine reaches by ${device}` : `is of the lab ${lab}`}`,
          { next: `${lab === undefined ? '' : `kbs lab down ${lab}, or `}give the segment another network` },
        );
      }),
    );
  if (failures.length > 1) throw new Failures(failures);
  if (failures[0] !== undefined) throw failures[0];
};

interface Route {
  readonly cidr: string;
  readonly device: string;
}

const machineRoutes = async (): Promise<readonly Route[]> => {
  const lines = (await shell('ip route', 'ip -4 -o route show')).split('\n');
  return lines.flatMap((line) => {
    const [, destination, device] = /^(?:\w+ )?(\d[\d./]*) .*?dev (\S+)/.exec(line) ?? [];
    if (destination === undefined || device === undefined) return [];
    return [{ cidr: destination.includes('/') ? destination : `${destination}/32`, device }];
  });
};
