import type { ImageArchive, PublishedImage, StoredFile } from '../artifacts/artifacts.js';
import { lines, raw, receive, type Script, sh } from '../hosts/shell.js';
import { nothing, unpack } from './binary.js';
import { notDownloadedCode, proxyOf, trust } from './download.js';
import type { ImageResource, Kind, State } from './resource.js';
import { step, Unknown } from './resource.js';

/**
 * Images of containerd's namespace `k8s.io`, by reference and digest. Absent where containerd is not installed, and
 * unknown where it is and does not answer: its images outlive it.
 */
export const image: Kind<ImageResource> = {
  kind: 'image',
  id: (resource) => resource.name,
  prelude: sh`
kbs_images=
if [ ! -x /usr/local/bin/ctr ]; then :
elif [ ! -S /run/containerd/containerd.sock ]; then kbs_images='unknown containerd does not run'
elif kbs_images=$(timeout 20 /usr/local/bin/ctr -n k8s.io images ls </dev/null 2>&1); then
  kbs_images=$(printf '%s\\n' "$kbs_images" | awk '{ print $1, $3 }')
else
  kbs_code=$?
  kbs_images=$(printf '%s\\n' "$kbs_images" | grep . | tail -n 1)
  if [ "$kbs_code" = 124 ]; then kbs_images='ctr got no answer within 20 s'; fi
  kbs_images="unknown \${kbs_images:-ctr ended with exit status $kbs_code}"
fi`,
  query: () => sh`printf '%s\\n' "$kbs_images"`,
  parse(output, resource) {
    if (output.startsWith('unknown ')) return new Unknown(output.slice('unknown '.length).trim());
    const there = new Map(output.split('\n').map((line) => splitAtSpace(line)));
    const found = imagesOf(resource)
      .map(({ reference }) => [reference, there.get(reference)] as const)
      .filter((entry): entry is readonly [string, string] => entry[1] !== undefined);
    return found.length === 0 ? undefined : Object.fromEntries(found);
  },
  desired: (resource) => Object.fromEntries(imagesOf(resource).map(({ reference, digest }) => [reference, digest])),
  downloads: (resource, seen) => missingOf(resource, seen).flatMap((each) => ('pull' in each ? each.pull : [])),
  apply(resource, seen) {
    const missing = missingOf(resource, seen);
    const archives = missing.filter((each) => 'archive' in each);
    const pulled = missing.filter((each) => 'pull' in each);
    const script = lines(
      open,
      ...[...new Set(pulled.flatMap(({ way }) => way.ca ?? []))].map((ca) => trust(ca, trusted)),
      ...pulled.map(pull),
      ...archives.map(take),
      ...(pulled.length === 0 ? [close] : [sh`wait`, ofPulls, close]),
    );
    return [
      step(
        script,
        archives.map(({ archive }) => ({ file: archive.file, size: archive.packedSize })),
      ),
    ];
  },
  remove: (_resource, seen) => [
    step(
      sh`if [ -S /run/containerd/containerd.sock ]; then
  /usr/local/bin/ctr -n k8s.io images rm ${Object.keys(seen)} </dev/null
fi`,
    ),
  ],
  record: {
    write: (resource) => ({ references: imagesOf(resource).map(({ reference }) => reference) }),
    read: (id, { references }) =>
      Array.isArray(references)
        ? referring(
            id,
            references.filter((reference) => typeof reference === 'string'),
          )
        : undefined,
  },
  owns: (resource) => imagesOf(resource).map(({ reference }) => ownedName(reference)),
  without(resource, isOwned) {
    const rest = imagesOf(resource)
      .map(({ reference }) => reference)
      .filter((reference) => !isOwned(ownedName(reference)));
    return rest.length === 0 ? undefined : referring(resource.name, rest);
  },
};

const missingOf = ({ archives }: ImageResource, seen: State | undefined): ImageResource['archives'] =>
  archives.filter(({ images }) => images.some(({ reference, digest }) => seen?.[reference] !== digest));

const ownedName = (reference: string): string => `image reference ${reference}`;

/** As much of a set of images as names them. */
const referring = (name: string, references: readonly string[]): ImageResource => ({
  kind: 'image',
  name,
  archives: [{ archive: nothing, images: references.map((reference) => ({ reference, digest: '' })) }],
});

/** One archive's import runs while the next one arrives. A failed one says so in a file, and others go on. */
const take = ({ archive }: ImageArchive, index: number): Script => {
  const tar = `${folder}/${index}.tar`;
  return sh`${raw(received(archive, tar))}
{
  ${raw(importImages)} ${tar} </dev/null >${folder}/${index}.log 2>&1 || echo ${archive.name} > ${folder}/${index}.failed
  rm -f ${tar}
} &`;
};

/**
 * containerd's own client fetches the manifest by its digest and goes on with layers that broke off. The image has only kbs's
 * name afterwards. Another try would not change what a certificate or an answer of the registry says.
 */
const pull = ({ pull: source, arch, way, images: [{ reference }] }: PublishedImage, index: number): Script => {
  const log = `${folder}/pull-${index}.log`;
  const trusting = way.ca === undefined ? sh`` : sh` --tlscacert ${trusted}`;
  return sh`{
  ${raw(proxyOf(way))}
  kbs_tries=0
  until ${raw(ctr)} pull --local --platform ${`linux/${arch}`} ${raw(pinned)}${raw(trusting)} ${source} </dev/null >/dev/null 2>${log}; do
    kbs_tries=$((kbs_tries + 1))
    if [ "$kbs_tries" = 4 ] || grep -q -e x509: -e ': not found' -e unauthorized -e forbidden -e denied ${log}; then
      echo ${source} > ${`${folder}/pull-${index}.unpulled`}
      exit 0
    fi
    sleep "$kbs_tries"
  done
  { ${raw(ctr)} tag --local --force ${source} ${reference} && ${raw(ctr)} rm ${source}; } </dev/null >${log} 2>&1 ||
    echo ${reference} > ${`${folder}/pull-${index}.failed`}
} &`;
};

const received = (archive: StoredFile, tar: string): Script =>
  archive.packing === 'none'
    ? receive(archive.packedSize, tar)
    : sh`head -c ${archive.packedSize} | ${raw(unpack[archive.packing])} > ${tar}`;

/**
 * Pinned: a kubelet that is short of disk deletes images that no container uses, and no registry has these.
 * The label is the one that containerd's CRI plugin reads.
 */
const pinned = sh`--label io.cri-containerd.pinned=pinned`;
const ctr = sh`/usr/local/bin/ctr -n k8s.io images`;
const importImages = sh`${raw(ctr)} import --local ${raw(pinned)}`;
const folder = '/var/lib/kbs/import';
const trusted = `${folder}/trust.pem`;

const open = sh`rm -rf ${folder}; mkdir -p -m 0700 ${folder}`;
const close = sh`wait
refused=no
for failed in ${folder}/*.failed; do
  if [ -e "$failed" ]; then
    echo "import of $(cat "$failed") failed:" >&2
    cat "\${failed%.failed}.log" >&2
    refused=yes
  fi
done
rm -rf ${folder}
[ "$refused" = no ]`;

const ofPulls = sh`unpulled=no
for each in ${folder}/*.unpulled; do
  if [ -e "$each" ]; then
    echo "$(cat "$each") could not be downloaded by this host:" >&2
    grep '^ctr: ' "\${each%.unpulled}.log" >&2 || tail -n 4 "\${each%.unpulled}.log" >&2
    unpulled=yes
  fi
done
if [ "$unpulled" = yes ]; then rm -rf ${folder}; exit ${notDownloadedCode}; fi`;

const imagesOf = (resource: ImageResource) => resource.archives.flatMap(({ images }) => images);
const splitAtSpace = (line: string): readonly [string, string] => {
  const [reference = '', digest = ''] = line.split(' ');
  return [reference, digest];
};
