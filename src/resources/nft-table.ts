import { receive, sh } from '../hosts/shell.js';
import type { Kind, NftTableResource } from './resource.js';
import { step } from './resource.js';

/**
 * A whole nftables table, compared as the text that `nft --stateless list table` prints (counters read as nothing)
 * and replaced in one transaction: there is no moment without its rules.
 */
export const nftTable: Kind<NftTableResource> = {
  kind: 'nft-table',
  id: nameOf,
  query: (resource) => sh`nft --stateless list table ${resource.family} ${resource.name} 2>/dev/null || :`,
  parse: (output) => (output.trim() === '' ? undefined : { content: ended(output) }),
  desired: (resource) => ({ content: ended(resource.text) }),
  apply(resource) {
    const table = nameOf(resource);
    const bytes = Buffer.from(`table ${table}\ndelete table ${table}\n${ended(resource.text)}`);
    return [step(`${receive(bytes.length, rules)}\nnft -f ${rules}\nrm -f ${rules}`, [{ bytes }])];
  },
  remove: (resource) => [step(sh`nft delete table ${resource.family} ${resource.name}`)],
  record: {
    write: () => ({}),
    read: (id) => {
      const [, family, name] = /^(ip|ip6|inet) (\S+)$/.exec(id) ?? [];
      return name === undefined ? undefined : { kind: 'nft-table', family: family as Family, name, text: '' };
    },
  },
};

type Family = NftTableResource['family'];

/** Read whole before any of it is obeyed. */
const rules = '/run/kbs.nft';

function nameOf(resource: NftTableResource): string {
  return `${resource.family} ${resource.name}`;
}

const ended = (text: string): string => `${text.trim()}\n`;
