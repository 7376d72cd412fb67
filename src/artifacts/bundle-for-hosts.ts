import type { Arch } from './arch.js';
import type { Artifacts, HostArtifacts } from './artifacts.js';
import type { Bundle } from './bundle.js';
import { unbuiltFor } from './placeholder.js';
import { type Access, publishedArtifacts } from './published.js';

/** The artifacts of a bundle, with what hosts download themselves, as its catalogue has it. */
export const withPublished = (bundle: Bundle, access: Access): Artifacts => {
  const held = new Map(bundle.architectures.map((arch) => [arch, ofArch(bundle, arch, access)]));
  const [first] = held.values();
  return {
    architectures: bundle.architectures,
    chart: (addon) => bundle.chart(addon),
    of: (arch) => held.get(arch) ?? (first === undefined ? bundle.of(arch) : unbuiltFor(arch, first)),
  };
};

const ofArch = (bundle: Bundle, arch: Arch, access: Access): HostArtifacts => {
  const stored = bundle.of(arch);
  const published = publishedArtifacts(bundle.catalogue.architectures[arch]?.published, { ...access, arch });
  return {
    binary: (name) => published.binary(name) ?? stored.binary(name),
    image: (name) => published.image(name) ?? stored.image(name),
    unpacker: () => stored.unpacker(),
    repository: (distribution) => stored.repository(distribution),
  };
};
