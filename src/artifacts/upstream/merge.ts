import { join } from 'node:path';
import { type Arch, architectures, archOfThisMachine } from '../arch.js';
import type { Part } from '../assemble.js';
import { readCatalogue } from '../bundle.js';
import { archesIn } from '../bundle-catalogue.js';
import { type Distribution, distributions } from '../packages/distributions.js';

/** What a bundle is to hold besides what was asked for, so that none of another architecture is lost. */
export interface Merge {
  /** Those to make. */
  readonly wanted: readonly Arch[];
  readonly addons: boolean;
  packages(arch: Arch): readonly Distribution[];
  /** What stays as it is in the bundle that lies there. */
  readonly kept: readonly Part[];
}

/**
 * The parts of other architectures stay in the bundle `folder`, where there is one of that version. All parts of a bundle are
 * with add-ons, or none: what was without is made again.
 */
export const mergeWith = async (
  folder: string | undefined,
  {
    version,
    architectures: asked = [archOfThisMachine()],
    addons = false,
    packages = [],
  }: {
    readonly version: string;
    readonly architectures?: readonly Arch[];
    readonly addons?: boolean;
    readonly packages?: readonly Distribution[];
  },
): Promise<Merge> => {
  const found = folder === undefined ? undefined : await readCatalogue(folder).catch(() => undefined);
  const before = found?.kubernetes === version ? found : undefined;
  const others = before === undefined ? [] : archesIn(before).filter((arch) => !asked.includes(arch));
  const hadAddons = before?.charts !== undefined;
  const again = addons && !hadAddons ? others : [];
  const held = (arch: Arch) => Object.keys(before?.architectures[arch]?.repositories ?? {});
  return {
    wanted: architectures.filter((arch) => asked.includes(arch) || again.includes(arch)),
    addons: addons || (others.length > 0 && hadAddons),
    packages: (arch) => (asked.includes(arch) ? packages : distributions.filter((each) => held(arch).includes(each))),
    kept: others
      .filter((arch) => !again.includes(arch))
      .flatMap((arch) => {
        const catalogue = before?.architectures[arch];
        const members = (before?.members ?? []).filter(({ file }) => file.startsWith(`${arch}/`));
        return catalogue === undefined
          ? []
          : [
              {
                arch,
                catalogue,
                members: members.map((member) => ({ source: join(folder ?? '', member.file), member, made: false })),
              },
            ];
      }),
  };
};
