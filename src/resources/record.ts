import { type Script, sh } from '../hosts/shell.js';
import { kindNamed, kindOf, nameOf } from './registry.js';
import type { RecordDetails, Resource } from './resource.js';

/** One resource that kbs made or changed on a host, as it is recorded there. */
export interface ResourceRecord {
  /** The kind and the id, as `nameOf` gives them. */
  readonly name: string;
  /** The phase that wanted it. */
  readonly phase: string;
  /** The name of the cluster that wanted it. Absent from a damaged line. */
  readonly cluster?: string;
  /** Its kind's `until-removed`. */
  readonly keep: boolean;
  /** As much of it as can be asked about and removed; absent where this version of kbs does not know how. */
  readonly resource?: Resource;
  /** The line as it stands in the file. */
  readonly line: string;
  /** The line is no record of any version of kbs: `name` is its place in the file. */
  readonly damaged?: true;
}

/**
 * The record of a resource: one line of JSON, without content and without any secret. Kind, id and phase come first, in
 * this order: the text up to the phase is the record's key. `undefined` for what leaves nothing to remove.
 */
export const recordOf = ({ cluster, phase }: RecordOwner, resource: Resource): string | undefined => {
  const kind = kindOf(resource);
  const details = kind.record?.write(resource);
  if (details === undefined) return undefined;
  const keep = 'keep' in resource && resource.keep !== undefined ? { keep: resource.keep } : {};
  return JSON.stringify({ kind: kind.kind, id: kind.id(resource), phase, cluster, ...keep, ...details });
};

/** The names of the cluster and the phase that want a resource. */
export interface RecordOwner {
  readonly cluster: string;
  readonly phase: string;
}

/** The records in a host's file, in the order in which the resources were first made. */
export const parseRecords = (text: string): readonly ResourceRecord[] =>
  text.split('\n').flatMap((line, index) => (line === '' ? [] : parse(line, index + 1)));

const parse = (line: string, place: number): ResourceRecord => {
  const { kind: word, id, phase, cluster, keep, ...details } = fieldsOf(line);
  if (!isName(word) || !isName(id) || !isName(phase) || !isName(cluster)) {
    return { name: `line ${place} of ${recordsPath}`, phase: '', keep: false, line, damaged: true };
  }
  const resource = kindNamed(word)?.record?.read(id, details);
  const known = resource !== undefined && nameOf(resource) === `${word} ${id}` && (keep === undefined || keep === kept);
  return { name: `${word} ${id}`, phase, cluster, keep: keep !== undefined, line, ...(known ? { resource } : {}) };
};

const kept = 'until-removed';

const fieldsOf = (line: string): RecordDetails => {
  try {
    const parsed: unknown = JSON.parse(line);
    return typeof parsed === 'object' && parsed !== null ? (parsed as RecordDetails) : {};
  } catch {
    return {};
  }
};

/** Names stand in plans and on terminals: control characters are in none of them. */
const isName = (value: unknown): value is string => typeof value === 'string' && /^\P{Cc}+$/u.test(value);

/** Shell that prints a host's records. */
export const printRecords = sh`if [ -e /var/lib/kbs/resources ]; then cat /var/lib/kbs/resources; fi`;

/**
 * Shell that records resources and drops records. A record that is there already keeps its place. The new file is written
 * beside, flushed to the disk and renamed, so that the file is always whole. The caller holds the host's lock.
 */
export const updateRecords = (put: readonly string[], drop: readonly Pick<ResourceRecord, 'line'>[]): Script => {
  const lines = [...put.map((line) => `+${line}`), ...drop.map(({ line }) => `-${line}`)];
  return sh`[ -d ${home} ] || mkdir -p ${home}
kbs_records=${file}
[ -e "$kbs_records" ] || kbs_records=/dev/null
( umask 077; printf '%s\\n' ${lines} | LC_ALL=C awk ${merge} change=1 - change=0 "$kbs_records" > ${file}.new )
if [ -s ${file}.new ]; then sync ${file}.new; mv -fT ${file}.new ${file}
else
  rm -f ${file} ${file}.new
  rmdir ${home} 2>/dev/null || :
fi`;
};

/** Shell that removes all records of a cluster, and damaged lines, for a host that it leaves as it was found. */
export const removeRecords = (cluster: string): Script =>
  sh`rm -f ${file}.new
if [ -e ${file} ]; then
  ( umask 077; export LC_ALL=C
    grep -avF ${`,"cluster":${JSON.stringify(cluster)}`} ${file} | grep -a ${whole} > ${file}.new || [ $? = 1 ] )
  if [ -s ${file}.new ]; then sync ${file}.new; mv -fT ${file}.new ${file}; else rm -f ${file} ${file}.new; fi
fi`;

/** A basic regular expression: the shape in which `recordOf` writes a line. */
const whole = '^{"kind":".*,"phase":".*,"cluster":".*}$';

const home = '/var/lib/kbs';

/** A host's file of records: root's own. */
export const recordsPath = `${home}/resources`;
const file = recordsPath;

/** In JSON a quote inside a text follows a backslash, so the first `,"phase":"` of a line is the name of the field. */
const merge = `
function key(line) { place = index(line, ",\\"phase\\":\\""); return place ? substr(line, 1, place) : line }
change {
  text = substr($0, 2)
  if (substr($0, 1, 1) == "-") dropped[key(text)] = 1
  else { added[key(text)] = text; order[++count] = key(text) }
  next
}
key($0) in added { if (!(key($0) in done)) print added[key($0)]; done[key($0)] = 1; next }
key($0) in dropped { next }
{ print }
END { for (i = 1; i <= count; i++) if (!(order[i] in done)) { print added[order[i]]; done[order[i]] = 1 } }`;
