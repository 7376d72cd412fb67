import { defined } from '../defined.js';
import { canonicalIpv6, isAddress, isIpv6Address, networkOf, parseCidr, parseIpv6Cidr } from './addresses.js';
import { parseRange } from './ranges.js';

/** A form that a text in the inventory must have, with the words for its error. */
export interface Format {
  /** With its article, `an IPv4 address`. */
  readonly noun: string;
  readonly example: string;
  /** For editors: a regular expression that is not stricter than `accepts`. */
  readonly pattern?: string;
  accepts(text: string): boolean;
  /** What to write instead of this text, where that is known. */
  advice?(text: string): string | undefined;
}

/**
 * What is wrong with a value, as the predicate of a sentence whose subject is the value; for a missing value, what to
 * write.
 */
export const formatProblem = (format: Format, value: unknown): string => {
  if (isMissing(value)) return `write ${format.noun} like ${format.example}`;
  // YAML reads it as a number or a boolean; as a text it would be right.
  if ((typeof value === 'number' || typeof value === 'boolean') && format.accepts(String(value))) {
    return `is a ${typeof value} to YAML; put it in quotes`;
  }
  const advice = typeof value === 'string' ? format.advice?.(value) : undefined;
  return `is not ${format.noun}; ${advice ?? `write one like ${format.example}`}`;
};

/** Whether a value is missing; YAML reads a key without a value as null. */
export const isMissing = (value: unknown): value is null | undefined => value === undefined || value === null;

/** The same format with an example that fits one field better. */
export const withExample = (format: Format, example: string): Format => ({ ...format, example });

export const address: Format = {
  noun: 'an IPv4 address',
  example: '192.168.10.10',
  pattern: '^[0-9]{1,3}(\\.[0-9]{1,3}){3}$',
  accepts: isAddress,
  advice(text) {
    if (canonicalIpv6(text) !== undefined) return besideIpv4;
    const stripped = withoutLeadingZeros(text);
    return isAddress(stripped) ? `leave out the leading zeros: ${stripped}` : undefined;
  },
};

/** Where IPv4 is asked for. */
const besideIpv4 = 'kbs needs IPv4 here; IPv6 stands beside it, under `ipv6` (docs/dual-stack.md)';

/** RFC 5952: lower case, the longest row of zeros as `::`. */
export const ipv6Address: Format = {
  noun: 'an IPv6 address',
  example: 'fd00:10::10',
  pattern: '^[0-9a-f:]+$',
  accepts: isIpv6Address,
  advice: (text) => canonicalAdvice(text, canonicalIpv6(text)) ?? ipv4Advice(text),
};

export const ipv6Cidr: Format = {
  noun: 'an IPv6 network in CIDR form',
  example: 'fd00:10:244::/56',
  pattern: '^[0-9a-f:]+/[0-9]{1,3}$',
  accepts: (text) => {
    const parsed = parseIpv6Cidr(text);
    return parsed !== undefined && parsed.address === parsed.network;
  },
  advice(text) {
    const [address = '', length = ''] = text.split('/');
    const canonical = `${canonicalIpv6(address) ?? ''}/${length}`;
    if (parseIpv6Cidr(canonical) === undefined) return ipv4Advice(text);
    return canonical === text
      ? `with its host bits cleared it is ${networkOf(text)}`
      : canonicalAdvice(text, networkOf(canonical));
  },
};

const canonicalAdvice = (text: string, canonical: string | undefined): string | undefined =>
  canonical === undefined || canonical === text ? undefined : `write it as ${canonical}`;

const ipv4Advice = (text: string): string | undefined =>
  isAddress(text) || parseCidr(text) !== undefined ? 'it is one of IPv4, which has fields of its own' : undefined;

export const cidr: Format = {
  noun: 'a network in CIDR form',
  example: '10.244.0.0/16',
  pattern: '^[0-9]{1,3}(\\.[0-9]{1,3}){3}/[0-9]{1,2}$',
  accepts: (text) => {
    const parsed = parseCidr(text);
    return parsed !== undefined && parsed.address === parsed.network;
  },
  advice(text) {
    if (text.includes(':')) return besideIpv4;
    const stripped = withoutLeadingZeros(text);
    if (parseCidr(stripped) === undefined) return undefined;
    return stripped === text
      ? `with its host bits cleared it is ${networkOf(text)}`
      : `leave out the leading zeros: ${stripped}`;
  },
};

export const addressRange: Format = {
  noun: 'a range of addresses',
  example: '192.168.10.200-192.168.10.230',
  pattern: '^[0-9.]+(-[0-9.]+|/[0-9]{1,2})$',
  accepts: (text) => parseRange(text) !== undefined,
  advice(text) {
    const [first = '', last = ''] = text.split('-').map((end) => end.trim());
    const turned = [`${first}-${last}`, `${last}-${first}`].find((other) => parseRange(other) !== undefined);
    if (turned !== undefined) return `write ${turned}`;
    return isAddress(text) ? `write a single address as ${text}/32` : cidr.advice?.(text);
  },
};

/** RFC 1123 as Kubernetes applies it: lower case only. */
export const dnsLabel: Format = {
  noun: 'a DNS label',
  example: 'worker-00',
  pattern: '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$',
  accepts: (text) => text.length <= 63 && /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(text),
  advice: () => 'use at most 63 lower-case letters, digits and inner dashes',
};

export const dnsName: Format = {
  noun: 'a DNS name',
  example: 'api.hybrid.internal',
  pattern: '^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$',
  accepts: (text) => text.length <= 253 && !isAddress(text) && text.split('.').every(dnsLabel.accepts),
  advice: (text) => (text.endsWith('.') && dnsName.accepts(text.slice(0, -1)) ? 'leave out the last dot' : undefined),
};

/** A name of the LAN's zone, without the zone: DNS labels, the first of which may be `*` where another one follows. */
export const recordName: Format = {
  noun: 'a name of the zone',
  example: 'grafana',
  pattern: '^([*][.])?[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$',
  accepts: (text) => dnsName.accepts(text.replace(/^\*\./, '')),
  advice: (text) =>
    text === '*'
      ? 'it would answer for every name of the zone, also for misspelt ones; write one like *.apps'
      : (dnsName.advice?.(text) ?? 'write one like grafana or *.apps'),
};

export const version: Format = {
  noun: 'a Kubernetes version',
  example: '1.36.3',
  pattern: '^[0-9]+\\.[0-9]+(\\.[0-9]+)?$',
  accepts: (text) => /^\d+\.\d+(\.\d+)?$/.test(text),
  advice: (text) => (/^v\d/.test(text) ? `leave out the v: ${text.slice(1)}` : undefined),
};

/** Of Prometheus: https://prometheus.io/docs/prometheus/latest/configuration/configuration/, `<duration>`. */
export const retention: Format = {
  noun: 'a time',
  example: '14d',
  pattern: '^[1-9][0-9]*[hdwy]$',
  accepts: (text) => /^[1-9]\d*[hdwy]$/.test(text),
  advice: () => 'write hours, days, weeks or years, such as 36h, 14d, 8w or 1y',
};

/** https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set */
export const labelKey: Format = {
  noun: 'a label key',
  example: 'example.com/tier',
  pattern: '^([a-z0-9.-]{1,253}/)?[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$',
  accepts(text) {
    const slash = text.indexOf('/');
    const name = text.slice(slash + 1);
    return (slash < 0 || dnsName.accepts(text.slice(0, slash))) && name !== '' && labelValue.accepts(name);
  },
};

export const labelValue: Format = {
  noun: 'a label value',
  example: 'training',
  pattern: '^([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?$',
  accepts: (text) => text === '' || (text.length <= 63 && /^[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?$/.test(text)),
};

export const taint: Format = {
  noun: 'a taint',
  example: 'nvidia.com/gpu=present:NoSchedule',
  pattern: `:(NoSchedule|PreferNoSchedule|NoExecute)$`,
  accepts(text) {
    const [, key = '', value = ''] =
      /^([^=:]+)(?:=([^:]*))?:(?:NoSchedule|PreferNoSchedule|NoExecute)$/.exec(text) ?? [];
    return labelKey.accepts(key) && labelValue.accepts(value);
  },
  advice: () => 'write key=value:Effect or key:Effect; effects are NoSchedule, PreferNoSchedule and NoExecute',
};

/**
 * A name as Linux systems have it: useradd(8), and with capitals, dots, `@` and `\` what directory services give. It
 * becomes a word of ssh's command line, so it never begins with a dash.
 */
export const userName: Format = {
  noun: 'a user name',
  example: 'ops',
  pattern: '^[A-Za-z0-9_]([A-Za-z0-9_.@\\\\-]*[A-Za-z0-9_.@-])?\\$?$',
  accepts: (text) => /^[A-Za-z0-9_]([A-Za-z0-9_.@\\-]*[A-Za-z0-9_.@-])?\$?$/.test(text),
  advice: () => 'use letters, digits, and inside the name also . _ @ and -',
};

/** Of a repository of charts; a password in it would be in every plan. */
export const httpsAddress: Format = {
  noun: 'an https address',
  example: 'https://charts.example.com/stable',
  pattern: '^https://',
  accepts: (text) => /^https:\/\/[^\s/?#@]+(\/[^\s?#]*)?$/.test(text) && URL.canParse(text),
  advice: (text) => (/^https?:\/\/[^/]*@/.test(text) ? 'leave out the user and password' : undefined),
};

/** Where clients reach a member of etcd. */
export const etcdEndpoint: Format = {
  noun: 'an https address with a port',
  example: 'https://etcd-00.lan:2379',
  pattern: '^https://.+:[0-9]+$',
  accepts: (text) => /^https:\/\/[^\s/?#@,]+:\d{1,5}$/.test(text) && URL.canParse(text),
  advice: (text) => {
    if (/^http:/.test(text)) return 'etcd must ask for certificates: write https://';
    return /^https:\/\/[\w.-]+\/?$/.test(text) ? `write ${text.replace(/\/$/, '')}:2379` : undefined;
  },
};

/** Of a mirror or a proxy of the LAN; a password in it would be in every plan. */
export const webAddress: Format = {
  noun: 'an http or https address',
  example: 'http://proxy.lan:3128',
  pattern: '^https?://',
  accepts: (text) => /^https?:\/\/[^\s/?#@]+(\/[^\s?#]*)?$/.test(text) && URL.canParse(text),
  advice: (text) => {
    if (/^https?:\/\/[^/]*@/.test(text)) return 'leave out the user and password';
    return /^[\w.-]+(:\d+)?(\/|$)/.test(text) ? `write http://${text} or https://${text}` : undefined;
  },
};

/** Of images: what stands before the first slash of their references. `*` stands for all that are not named. */
export const registryName: Format = {
  noun: 'a registry',
  example: 'docker.io',
  pattern: '^([a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]+)?|\\*)$',
  accepts: (text) => text === '*' || /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d{1,5})?$/.test(text),
  advice: (text) =>
    text.includes('/') ? 'write what stands before the first slash, such as docker.io or mirror.lan:5000' : undefined,
};

/** Where a project publishes its files or images. */
export const internetHost: Format = {
  noun: 'a host of the internet',
  example: 'dl.k8s.io',
  pattern: '^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]+)?$',
  accepts: (text) => /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d{1,5})?$/.test(text),
  advice: (text) => (text.includes('/') ? 'write the host alone, such as dl.k8s.io' : undefined),
};

/** https://helm.sh/docs/topics/charts/#charts-and-versioning: SemVer 2, perhaps with a `v` before it. */
export const chartVersion: Format = {
  noun: 'a version of a chart',
  example: '1.2.3',
  pattern: '^v?[0-9]+[.][0-9]+[.][0-9]+',
  accepts: (text) => /^v?\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$/.test(text),
  advice: (text) =>
    /^[v\d.xX*~^<>=| ,-]+$/.test(text) ? 'write one version with three numbers, like 1.2.3' : undefined,
};

/** In hex. */
export const sha256Digest: Format = {
  noun: 'a sha256',
  example: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  pattern: '^[0-9a-f]{64}$',
  accepts: (text) => /^[0-9a-f]{64}$/.test(text),
  advice: (text) =>
    /^sha256:[0-9a-f]{64}$/.test(text) ? `leave out sha256: before it` : 'it has 64 of the letters 0-9 a-f',
};

/** An address of a chart in an OCI registry, without a tag. */
export const isOci = (text: string): boolean => text.startsWith('oci://');

/** Of a file system, from its root; never the root itself, and without steps up. */
export const absolutePath: Format = {
  noun: 'an absolute path',
  example: '/srv/volumes',
  pattern: '^/[^/]',
  accepts: (text) => /^(\/[A-Za-z0-9_@%+=:,.-]+)+$/.test(text) && !text.split('/').some((step) => /^\.+$/.test(step)),
  advice: () => 'write one like /srv/volumes, of letters, digits and the signs _ @ % + = : , . -',
};

/** Any text that is not empty and holds nothing that a terminal obeys: a path, a name. */
export const anyText = (noun: string, example: string): Format => ({
  noun,
  example,
  accepts: (text) => text.trim() !== '' && !control.test(text),
  advice: (text) => (control.test(text) ? 'leave out its control characters' : undefined),
});

/** C0, DEL and C1, and the characters that turn the direction of writing (Unicode's Bidi_Control). */
const control = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/;

const withoutLeadingZeros = (text: string): string => text.replace(/\b0+(?=\d)/g, '');

/** What a server of the LAN is asked at. */
export const serverName: Format = {
  noun: 'a DNS name or an IPv4 address',
  example: 'api.example.com',
  accepts: (text) => address.accepts(text) || dnsName.accepts(text),
  advice: (text) => dnsName.advice?.(text),
};

/** What ssh takes for a host: an IPv4 address, a DNS name or a name of `~/.ssh/config`; never with a dash before it. */
export const hostName: Format = {
  noun: 'the name or address of a host',
  example: 'bastion.example.com',
  pattern: '^[A-Za-z0-9_][A-Za-z0-9_.-]*$',
  accepts: (text) => text.length <= 253 && /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/.test(text),
};

/** As for `ssh -J`, with one host: `USER@HOST:PORT`, of which only the host is needed. */
export const jumpHost: Format = {
  noun: 'a jump host',
  example: 'ops@bastion.example.com:2222',
  pattern: '^([^@]+@)?[A-Za-z0-9_][A-Za-z0-9_.-]*(:[0-9]{1,5})?$',
  accepts(text) {
    const { user, host, port } = partsOfJump(text);
    return (
      hostName.accepts(host) &&
      (user === undefined || userName.accepts(user)) &&
      (port === undefined || (/^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65535))
    );
  },
  advice: (text) =>
    text.includes(',') ? `write a list for several: [${text.split(',').join(', ')}]` : 'write USER@HOST:PORT',
};

/** The parts of a jump host's text; a user may hold an `@` itself. */
export const partsOfJump = (
  text: string,
): { readonly user?: string; readonly host: string; readonly port?: string } => {
  const [, user, host = '', port] = /^(?:(.*)@)?([^@:]*)(?::(.*))?$/s.exec(text) ?? [];
  return { host, ...defined({ user, port }) };
};

/** What is wrong with a value that is no jump host in any of the forms. */
export const jumpProblem = (value: unknown): string =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? 'is not a map with keys of host, user, port, key'
    : formatProblem(jumpHost, value);
