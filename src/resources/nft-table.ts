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
  look: (resource) => sh`nft --stateless list table ${resource.family} ${resource.name} 2>/dev/null || :`,
  see: (output) => (output.trim() === '' ? undefined : { content: ended(output) }),
  want: (resource) => ({ content: ended(resource.text) }),
  make(resource) {
    const table = nameOf(resource);
    const bytes = Buffer.from(`table ${table}\ndelete table ${table}\n${ended(resource.text)}`);
    return [step(`${receive(bytes.length, rules)}\nnft -f ${rules}\nrm -f ${rules}`, [{ bytes }])];
  },
  unmake: (resource) => [step(sh`nft delete table ${resource.family} ${resource.name}`)],
};

/** Read whole before any of it is obeyed. */
const rules = '/run/kbs.nft';

function nameOf(resource: NftTableResource): string {
  return `${resource.family} ${resource.name}`;
}

const ended = (text: string): string => `${text.trim()}\n`;
