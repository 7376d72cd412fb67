import type { PublishedFile, StoredFile } from '../artifacts/artifacts.js';
import { lines, raw, type Script, sh } from '../hosts/shell.js';
import { download, endOfDownloads } from './download.js';
import {
  escapePath,
  isPath,
  managed,
  ownedPath,
  parentOf,
  recordPath,
  restoreOriginal,
  saveOriginal,
  stateOfMissing,
  temporaryPath,
} from './original.js';
import type { BinaryResource, Kind, State } from './resource.js';
import { step } from './resource.js';

/** Shell that unpacks an artifact: packed on stdin, the content on stdout. kbs brings its own program for zstd. */
export const unpack: Readonly<Record<Exclude<StoredFile['packing'], 'none'>, Script>> = {
  zstd: sh`/usr/local/lib/kbs/unzstd`,
  gzip: sh`gzip -dc`,
};

/** What of a file changes whenever its content does. In seconds since the epoch: stat's dates move with the time zone. */
const life = '%s %.9Y %.9Z';

/**
 * An executable, known by the digest of its content. Hashing costs about a second per 100 MB, so a stamp beside holds
 * the digest together with size, mtime and ctime of the file that it was taken of; any change of the file changes its
 * ctime, and then the file itself is hashed. Of a program that the host has taken out of an archive, only the archive's
 * digest is known before: the stamp says out of which it came.
 */
export const binary: Kind<BinaryResource> = {
  kind: 'binary',
  id: (resource) => resource.path,
  prelude: sh`${raw(managed)}
look_binary() { # PATH STAMP NOTE LINK...
  if [ -L "$1" ]; then echo "link $(touched "$3") - - $(readlink "$1")"; return 0; fi
  if [ ! -e "$1" ]; then nothing "$3"; links_to "$1" "$@"; return 0; fi
  if [ ! -f "$1" ]; then echo "other $(touched "$3")"; return 0; fi
  facts=$(stat -c ${`%a %U:%G ${life}`} "$1")
  digest= stamped= from=
  if [ -f "$2" ]; then { read -r digest || :; read -r stamped || :; read -r from || :; } < "$2"; fi
  if [ "$stamped" != "\${facts#* * }" ]; then
    known=$digest digest=$(sha256sum < "$1")
    digest=\${digest%% *}
    [ "$digest" = "$known" ] || from=
  fi
  echo "file $(touched "$3") $facts"
  echo "$digest $from"
  links_to "$1" "$@"
}
links_to() { # TARGET PATH STAMP NOTE LINK...
  target=$1; shift 4
  for link; do if [ "$(readlink "$link")" = "$target" ]; then echo "$link"; fi; done
}`,
  query: (resource) =>
    sh`look_binary ${resource.path} ${stampOf(resource)} ${recordPath(resource.path)}${raw(words(resource.links))}`,
  parse(output, resource) {
    const [line = '', digest = '', ...links] = output.split('\n');
    const [type = '', byKbs, mode = '', owner = '', ...rest] = line.split(' ');
    if (byKbs === undefined) return missing(line, [digest, ...links]);
    if (type === 'link') return { type: `link to ${rest.join(' ')}`, touched: byKbs };
    if (type === 'other') return { type: 'not a file', touched: byKbs };
    const [sha256 = '', ...from] = digest.trimEnd().split(' ');
    const facts = {
      type,
      sha256,
      ...(from.length === 0 ? {} : { from: from.join(' ') }),
      mode: mode.padStart(4, '0'),
      owner,
      touched: byKbs,
    };
    return resource.links === undefined ? facts : { ...facts, links: links.filter(Boolean).join(' ') };
  },
  desired: ({ content, links }) => ({
    type: 'file',
    ...contentOf(content),
    mode: '0755',
    owner: 'root:root',
    ...(links === undefined ? {} : { links: links.join(' ') }),
  }),
  apply: (resource, seen) => [
    seen?.type === 'file' && Object.entries(contentOf(resource.content)).every(([key, value]) => seen[key] === value)
      ? permit(resource)
      : install(resource),
    ...(resource.links ?? [])
      .filter((link) => !seen?.links?.split(' ').includes(link))
      .map((link) => point(link, resource)),
  ],
  // Several programs may come out of one archive; of others the empty folder is left.
  conclude: (changed) => (changed.some(({ content }) => 'download' in content) ? endOfDownloads : undefined),
  downloads: ({ content }) => ('download' in content ? [content.download.url] : []),
  remove: (resource, seen) =>
    seen.touched === 'yes'
      ? [
          step(
            lines(
              removeStamp(resource),
              ...[...(resource.links ?? []), resource.path].map((path) => restoreOriginal(path)),
            ),
          ),
        ]
      : [],
  record: {
    write: ({ links }) => (links === undefined ? {} : { links }),
    read: (id, { links }) => {
      if (!isPath(id)) return undefined;
      const paths = Array.isArray(links) ? links.filter((link) => typeof link === 'string').filter(isPath) : [];
      return { kind: 'binary', path: id, content: nothing, ...(paths.length > 0 ? { links: paths } : {}) };
    },
  },
  owns: ({ path, links = [] }) => [path, ...links].map(ownedPath),
};

/** A program that a person has deleted may have left other names that lead nowhere. */
const missing = (line: string, links: readonly string[]): State | undefined => {
  const seen = stateOfMissing(line);
  const left = links.filter(Boolean).join(' ');
  return seen === undefined || left === '' ? seen : { ...seen, left };
};

/** By what its content is known. */
const contentOf = (content: BinaryResource['content']): { readonly sha256: string } | { readonly from: string } => {
  const from = fromOf(content);
  return from === undefined ? { sha256: content.sha256 } : { from };
};

/** The archive that a program comes out of, and its path there; undefined where the digest of the program is known. */
const fromOf = (content: BinaryResource['content']): string | undefined =>
  'download' in content && content.download.member !== undefined
    ? `${content.download.sha256} ${content.download.member}`
    : undefined;

/** Shell that removes kbs's stamp of a program, which lies beside kbs's other notes, and what arrived of a download. */
export const removeStamp = (resource: BinaryResource): Script =>
  sh`${raw(endOfDownloads)}; rm -f ${stampOf(resource)}; rmdir ${stamps} 2>/dev/null || :`;

/** In place of an artifact where there is none: what is removed is never sent. */
export const nothing: StoredFile = { name: '', sha256: '', size: 0, file: '', packedSize: 0, packing: 'none' };

/** Nothing is ever written at the path itself: the finished file is renamed there. */
const install = (resource: BinaryResource) => {
  const { content, path } = resource;
  const beside = temporaryPath(path);
  const { script, payloads } = 'download' in content ? fetched(content, beside) : sent(content, beside);
  return step(
    lines(
      // A download that fails leaves all as it was.
      ...('download' in content ? [download(content.download)] : []),
      saveOriginal(path),
      sh`[ -d ${parentOf(path)} ] || mkdir -p ${parentOf(path)}`,
      sh`rm -f ${beside}`,
      script,
      sh`chown root:root ${beside}; chmod 0755 ${beside}`,
      sh`mv -fT ${beside} ${path}`,
      stamp(resource),
    ),
    payloads,
  );
};

/** The transport protects the bytes and each packing has its own checksum, so that the size is left to check. */
const sent = (content: StoredFile, beside: string) => {
  const unpacked = content.packing === 'none' ? sh`` : sh` | ${raw(unpack[content.packing])}`;
  const script = lines(
    sh`head -c ${content.packedSize}${raw(unpacked)} > ${beside} || { rm -f ${beside}; exit 1; }`,
    sh`size=$(stat -c %s ${beside})`,
    sh`if [ "$size" != ${content.size} ]; then
  rm -f ${beside}
  echo ${content.name} "came as $size bytes instead of" ${content.size} >&2
  exit 1
fi`,
  );
  return { script, payloads: [{ file: content.file, size: content.packedSize }] };
};

/** Out of what lies in `$kbs_file`, whose digest is right. Some archives have `./` before each name. */
const fetched = ({ download: { member } }: PublishedFile, beside: string) => ({
  script:
    member === undefined
      ? sh`mv -fT "$kbs_file" ${beside}`
      : sh`tar -xzOf "$kbs_file" ${member} > ${beside} 2>/dev/null || tar -xzOf "$kbs_file" ${`./${member}`} > ${beside} || {
  rm -f ${beside}
  echo "$kbs_url holds no" ${member} >&2
  exit 1
}`,
  payloads: [],
});

/** The content is right. It is hashed once more, because a stamp is only ever made of what was seen. */
const permit = (resource: BinaryResource) =>
  step(
    lines(
      saveOriginal(resource.path),
      sh`chown root:root ${resource.path}; chmod 0755 ${resource.path}`,
      fromOf(resource.content) === undefined
        ? sh`echo ${`${resource.content.sha256}  ${resource.path}`} | sha256sum --check --status`
        : sh`[ "$(sha256sum < ${resource.path} | cut -c -64)" = "$(sed -n 1p ${stampOf(resource)})" ]`,
      stamp(resource),
    ),
  );

/** Written beside and renamed, so that a file of that name is always there. */
const point = (link: string, { path }: BinaryResource) =>
  step(
    lines(saveOriginal(link), sh`ln -sfT ${path} ${temporaryPath(link)}`, sh`mv -fT ${temporaryPath(link)} ${link}`),
  );

const words = (links: readonly string[] = []): Script => (links.length === 0 ? sh`` : sh` ${links}`);

const stamp = (resource: BinaryResource): Script => {
  const { path, content } = resource;
  const from = fromOf(content);
  const facts =
    from === undefined
      ? sh`echo ${content.sha256}; stat -c ${life} ${path}`
      : sh`sha256sum < ${path} | cut -c -64; stat -c ${life} ${path}; echo ${from}`;
  return sh`[ -d ${stamps} ] || mkdir -p ${stamps}
{ ${raw(facts)}; } > ${stampOf(resource)}`;
};

const stamps = '/var/lib/kbs/stamps';
const stampOf = (resource: BinaryResource): string => `${stamps}/${escapePath(resource.path)}`;
