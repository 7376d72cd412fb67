import type { Draft } from '../draft.js';
import { complaint, dnsLabel } from '../formats.js';
import type { Mistake, Path } from '../mistake.js';
import { mistakeInKey } from '../mistake.js';

/** Hosts and segments are named in DNS, in certificates and in labels: by RFC 1123 labels. */
export const checkNames = (draft: Draft): readonly Mistake[] => [
  ...namesBelow(['network', 'segments'], draft.network?.segments),
  ...namesBelow(['hosts'], draft.hosts),
];

const namesBelow = (path: Path, record: object | undefined): readonly Mistake[] =>
  Object.keys(record ?? {})
    .filter((name) => !dnsLabel.accepts(name))
    .map((name) => mistakeInKey([...path, name], `the name ${complaint(dnsLabel, name)}`));
