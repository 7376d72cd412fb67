import { Failure } from '../failure.js';
import { unknownName } from '../inventory/did-you-mean.js';
import { requireStanding } from './find.js';
import { type Places, placesOf } from './paths.js';
import type { LabSpec } from './spec.js';

/** The hosts of a lab that words mean, by name and each once; refused before anything happens where a word is unknown. */
export const labHosts = async (
  lab: string,
  words: readonly string[],
  places: Places = placesOf(),
): Promise<readonly string[]> => selectHosts((await requireStanding(places, lab)).spec, words);

/**
 * The hosts that words mean, in the order of the inventory: a host's name, `all`, or `segment=NAME` for the hosts of a
 * segment. A router that has a cable in several segments stands between them and belongs to none.
 */
export const selectHosts = (spec: LabSpec, words: readonly string[]): readonly string[] => {
  const meant = new Set(words.flatMap((word) => hostsOf(spec, word)));
  return spec.hosts.map(({ name }) => name).filter((name) => meant.has(name));
};

/** The bridge of a segment, by the segment's name. */
export const bridgeOf = (spec: LabSpec, segment: string): string => {
  const found = spec.segments.find(({ name }) => name === segment);
  if (found === undefined) {
    throw unknown(
      'segment',
      segment,
      spec.segments.map(({ name }) => name),
    );
  }
  return found.bridge;
};

const hostsOf = (spec: LabSpec, word: string): readonly string[] => {
  if (word.startsWith('segment=')) return hostsOfSegment(spec, word.slice('segment='.length));
  const names = spec.hosts.map(({ name }) => name);
  if (word === 'all') return names;
  if (!names.includes(word)) throw unknown('host', word, names);
  return [word];
};

const hostsOfSegment = (spec: LabSpec, segment: string): readonly string[] => {
  const bridge = bridgeOf(spec, segment);
  const hosts = spec.hosts.filter(({ cables }) => cables.length === 1 && cables[0]?.bridge === bridge);
  if (hosts.length === 0) throw new Failure('usage', `the segment ${segment} has no host but routers`);
  return hosts.map(({ name }) => name);
};

const unknown = (what: string, word: string, known: readonly string[]): Failure =>
  unknownName(`the lab has no ${what}`, [word], known);
