import { Failure } from '../failure.js';
import { unknownName } from '../inventory/did-you-mean.js';
import { standing } from './find.js';
import { type Places, placesOf } from './paths.js';
import type { Design } from './spec.js';

/** The hosts of a lab that words mean, by name and each once; refused before anything happens where a word is unknown. */
export const labHosts = async (
  lab: string,
  words: readonly string[],
  places: Places = placesOf(),
): Promise<readonly string[]> => hostsMeant((await standing(places, lab)).design, words);

/**
 * The hosts that words mean, in the order of the design: a host's name, `all`, or `segment=NAME` for the hosts of a
 * segment. A router that has a cable in several segments stands between them and belongs to none.
 */
export const hostsMeant = (design: Design, words: readonly string[]): readonly string[] => {
  const meant = new Set(words.flatMap((word) => hostsOf(design, word)));
  return design.hosts.map(({ name }) => name).filter((name) => meant.has(name));
};

/** The bridge of a segment, by the segment's name. */
export const bridgeOf = (design: Design, segment: string): string => {
  const found = design.segments.find(({ name }) => name === segment);
  if (found === undefined) {
    throw unknown(
      'segment',
      segment,
      design.segments.map(({ name }) => name),
    );
  }
  return found.bridge;
};

const hostsOf = (design: Design, word: string): readonly string[] => {
  if (word.startsWith('segment=')) return hostsOfSegment(design, word.slice('segment='.length));
  const names = design.hosts.map(({ name }) => name);
  if (word === 'all') return names;
  if (!names.includes(word)) throw unknown('host', word, names);
  return [word];
};

const hostsOfSegment = (design: Design, segment: string): readonly string[] => {
  const bridge = bridgeOf(design, segment);
  const hosts = design.hosts.filter(({ cables }) => cables.length === 1 && cables[0]?.bridge === bridge);
  if (hosts.length === 0) throw new Failure('usage', `the segment ${segment} has no host but routers`);
  return hosts.map(({ name }) => name);
};

const unknown = (what: string, word: string, known: readonly string[]): Failure =>
  unknownName(`the lab has no ${what}`, [word], known);
