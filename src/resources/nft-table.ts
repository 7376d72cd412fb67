import { lines, receive, sh } from '../hosts/shell.js';
import type { Kind, NftTableResource } from './resource.js';
import { step, Unknown } from './resource.js';

/**
 * A whole nftables table, compared as the text that `nft --stateless list table` prints (counters read as nothing)
 * and replaced in one transaction: its rules always apply. Unknown where nft fails for any other reason than
 * that the kernel has no such table.
 */
export const nftTable: Kind<NftTableResource> = {
  kind: 'nft-table',
  id: nameOf,
  prelude: sh`
look_table() { # FAMILY NAME
  command -v nft >/dev/null || return 0
  if kbs_table=$(LC_ALL=C nft --stateless list table "$1" "$2" 2>&1); then printf '%s\\n' "$kbs_table"; return 0; fi
  case $kbs_table in
    *'No such file or directory'*) ;;
    *) echo "unknown nft: $(printf '%s\\n' "$kbs_table" | sed -n 1p)" ;;
  esac
}`,
  query: (resource) => sh`look_table ${resource.family} ${resource.name}`,
  parse(output) {
    if (output.startsWith('unknown ')) return new Unknown(output.slice('unknown '.length).trim());
    return output.trim() === '' ? undefined : { content: ended(output) };
  },
  desired: (resource) => ({ content: ended(resource.text) }),
  apply(resource) {
    const table = nameOf(resource);
    const bytes = Buffer.from(`table ${table}\ndelete table ${table}\n${ended(resource.text)}`);
    return [step(lines(receive(bytes.length, rules), sh`nft -f ${rules}`, sh`rm -f ${rules}`), [{ bytes }])];
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
