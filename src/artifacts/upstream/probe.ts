import type { Arch } from '../arch.js';
import type { Component } from '../bundle-catalogue.js';
import { makeArchive, type PackedMember } from '../bundle-members.js';
import { makeLayer } from '../layer.js';
import { gzipPacker } from '../packer.js';
import type { Release } from '../release.js';
import { ownProgram } from './own-program.js';

/** The image by which `kbs verify` asks from within pods: it is kbs's own. `ownPrograms` as of `ownProgram`. */
export const packProbe = async (
  release: Release,
  context: { readonly cache: string; readonly arch: Arch; readonly signal?: AbortSignal },
  ownPrograms?: string,
): Promise<{ readonly packed: PackedMember; readonly component: Component }> => {
  const probe = release.programs.find(({ name }) => name === 'probe');
  if (probe === undefined) throw new Error('the release names no probe');
  const program = await ownProgram(probe, context, ownPrograms);
  const parts = { cache: context.cache, packer: gzipPacker, program: () => ({ ...program, made: false }) };
  const recipes = release.images.probe.layers;
  const layers = new Map(
    await Promise.all(recipes.map(async (recipe) => [recipe.name, await makeLayer(recipe, parts)] as const)),
  );
  const layer = (name: string) => {
    const found = layers.get(name);
    if (found === undefined) throw new Error(`the probe has no layer ${name}`);
    return found;
  };
  return {
    packed: await makeArchive({ name: 'probe', images: ['probe'] }, release, layer, context),
    component: { name: probe.name, version: probe.version, from: probe.from },
  };
};
