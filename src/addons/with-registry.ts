import type { ImageReference } from './addon.js';

/** A reference as some charts take it: the registry apart from the rest. */
export const withRegistry = ({ repository, tag }: ImageReference) => {
  const slash = repository.indexOf('/');
  return { registry: repository.slice(0, slash), repository: repository.slice(slash + 1), tag };
};
