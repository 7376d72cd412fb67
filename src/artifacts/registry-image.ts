import { indexTypes, manifestTypes, mostOfManifest } from './manifest-types.js';
import { Registry } from './registry.js';
import { repositoryUrl } from './upstream/mirrors.js';

/** What stands before the first slash of a reference: `quay.io`. */
export const registryOf = (reference: string): string => reference.split('/', 1)[0] ?? '';

/**
 * Why an image, `quay.io/name:tag`, cannot be had from this machine without a login; undefined where one of the mirrors, or else its
 * registry, has it.
 */
export const imageProblem = async (
  reference: string,
  mirrors: readonly string[],
  signal: AbortSignal,
): Promise<string | undefined> => {
  const colon = reference.lastIndexOf(':');
  const [repository, tag] = [reference.slice(0, colon), reference.slice(colon + 1)];
  let problem: string | undefined;
  for (const mirror of [...mirrors, undefined]) {
    const base = repositoryUrl(repository, mirror === undefined ? {} : { [registryOf(reference)]: mirror });
    try {
      const accept = [...indexTypes, ...manifestTypes].join(', ');
      await new Registry(base, signal).get(`manifests/${tag}`, mostOfManifest, { accept });
      return undefined;
    } catch (error) {
      if (signal.aborted) throw error;
      problem = error instanceof Error ? error.message : String(error);
    }
  }
  return problem;
};
