import type { ImageArchive, StoredFile } from '../artifacts/artifacts.js';
import { lines, raw, receive, type Script, sh } from '../hosts/shell.js';
import { nothing, unpack } from './binary.js';
import type { ImageResource, Kind } from './resource.js';
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
  apply(resource, seen) {
    const missing = resource.archives.filter(({ images }) =>
      images.some(({ reference, digest }) => seen?.[reference] !== digest),
    );
    const script = lines(open, ...missing.map(take), close);
    return [
      step(
        script,
        missing.map(({ archive }) => ({ file: archive.file, size: archive.packedSize })),
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

const received = (archive: StoredFile, tar: string): Script =>
  archive.packing === 'none'
    ? receive(archive.packedSize, tar)
    : sh`head -c ${archive.packedSize} | ${raw(unpack[archive.packing])} > ${tar}`;

/**
 * Pinned: a kubelet that is short of disk deletes images that no container uses, and no registry has these.
 * The label is the one that containerd's CRI plugin reads.
 */
const importImages = sh`/usr/local/bin/ctr -n k8s.io images import --local --label io.cri-containerd.pinned=pinned`;
const folder = '/var/lib/kbs/import';

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

const imagesOf = (resource: ImageResource) => resource.archives.flatMap(({ images }) => images);
const splitAtSpace = (line: string): readonly [string, string] => {
  const [reference = '', digest = ''] = line.split(' ');
  return [reference, digest];
};
