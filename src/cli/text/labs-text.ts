import type { LabStatus, Partition } from '../../lab/index.js';

/** The labs of this machine and their hosts, a line each. */
export function labsText(labs: readonly LabStatus[]): string {
  if (labs.length === 0) return 'no lab stands on this machine';
  return labs
    .map(({ lab, since, standing, hosts, partitions, delays }) =>
      [
        `${lab.name}  since ${since}${standing ? '' : '  (broken: take it down with kbs lab down)'}`,
        ...hosts.map(
          ({ name, address, platform, image, state, memory }) =>
            `  ${name.padEnd(24)} ${address.padEnd(16)} ${`${platform} ${image ?? ''}`.trim().padEnd(13)} ${state}${memory === undefined ? '' : `  ${Math.round(memory / 1_048_576)} MiB`}`,
        ),
        ...partitionsText(partitions).map((line) => `  ${line}`),
        ...delays.map(({ segment, ms }) => `  segment ${segment} is ${ms} ms late`),
      ].join('\n'),
    )
    .join('\n\n');
}

/** The hosts that are cut off from each other, a line for each host. */
export const partitionsText = (partitions: readonly Partition[]): readonly string[] =>
  [...new Set(partitions.map(([host]) => host))].map((host) => {
    const others = partitions.filter(([one]) => one === host).map(([, other]) => other);
    return `${host} is cut off from ${others.join(', ')}`;
  });
