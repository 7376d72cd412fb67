import { isAddress, networkOf, parseCidr } from './addresses.js';

/** A form that text in the inventory has to have, and the words to say when it has not. */
export interface Format {
  /** With its article, `an IPv4 address`. */
  readonly a: string;
  readonly example: string;
  /** For editors: a regular expression that is no stricter than `accepts`. */
  readonly pattern?: string;
  accepts(text: string): boolean;
  /** What to write instead of this very text, where that can be told. */
  advice?(text: string): string | undefined;
}

/**
 * What is wrong with a value, as the predicate of a sentence whose subject is the value; for a missing value, what to
 * write.
 */
export const complaint = (format: Format, value: unknown): string => {
  if (absent(value)) return `write ${format.a} like ${format.example}`;
  // What YAML reads as a number or a boolean would be right as a text.
  if ((typeof value === 'number' || typeof value === 'boolean') && format.accepts(String(value))) {
    return `is a ${typeof value} to YAML; put it in quotes`;
  }
  const advice = typeof value === 'string' ? format.advice?.(value) : undefined;
  return `is not ${format.a}; ${advice ?? `write one like ${format.example}`}`;
};

/** Whether nothing is written there; YAML reads a key without a value as null. */
export const absent = (value: unknown): value is null | undefined => value === undefined || value === null;

/** The same format with an example that fits one field better. */
export const like = (format: Format, example: string): Format => ({ ...format, example });

export const address: Format = {
  a: 'an IPv4 address',
  example: '192.168.10.10',
  pattern: '^[0-9]{1,3}(\\.[0-9]{1,3}){3}$',
  accepts: isAddress,
  advice(text) {
    const plain = withoutLeadingZeros(text);
    return isAddress(plain) ? `leave out the leading zeros: ${plain}` : undefined;
  },
};

export const cidr: Format = {
  a: 'a network in CIDR form',
  example: '10.244.0.0/16',
  pattern: '^[0-9]{1,3}(\\.[0-9]{1,3}){3}/[0-9]{1,2}$',
  accepts: (text) => {
    const parsed = parseCidr(text);
    return parsed !== undefined && parsed.address === parsed.network;
  },
  advice(text) {
    const plain = withoutLeadingZeros(text);
    if (parseCidr(plain) === undefined) return undefined;
    return plain === text
      ? `with its host bits cleared it is ${networkOf(text)}`
      : `leave out the leading zeros: ${plain}`;
  },
};

/** RFC 1123 as Kubernetes reads it: lower case only. */
export const dnsLabel: Format = {
  a: 'a DNS label',
  example: 'worker-00',
  pattern: '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$',
  accepts: (text) => text.length <= 63 && /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(text),
  advice: () => 'use at most 63 lower-case letters, digits and inner dashes',
};

export const dnsName: Format = {
  a: 'a DNS name',
  example: 'api.hybrid.internal',
  pattern: '^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$',
  accepts: (text) => text.length <= 253 && !isAddress(text) && text.split('.').every(dnsLabel.accepts),
  advice: (text) => (text.endsWith('.') && dnsName.accepts(text.slice(0, -1)) ? 'leave out the last dot' : undefined),
};

export const version: Format = {
  a: 'a Kubernetes version',
  example: '1.36.3',
  pattern: '^[0-9]+\\.[0-9]+(\\.[0-9]+)?$',
  accepts: (text) => /^\d+\.\d+(\.\d+)?$/.test(text),
  advice: (text) => (/^v\d/.test(text) ? `leave out the v: ${text.slice(1)}` : undefined),
};

/** https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set */
export const labelKey: Format = {
  a: 'a label key',
  example: 'example.com/tier',
  pattern: '^([a-z0-9.-]{1,253}/)?[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$',
  accepts(text) {
    const slash = text.indexOf('/');
    const name = text.slice(slash + 1);
    return (slash < 0 || dnsName.accepts(text.slice(0, slash))) && name !== '' && labelValue.accepts(name);
  },
};

export const labelValue: Format = {
  a: 'a label value',
  example: 'training',
  pattern: '^([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?$',
  accepts: (text) => text === '' || (text.length <= 63 && /^[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?$/.test(text)),
};

export const taint: Format = {
  a: 'a taint',
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
  a: 'a user name',
  example: 'ops',
  pattern: '^[A-Za-z0-9_]([A-Za-z0-9_.@\\\\-]*[A-Za-z0-9_.@-])?\\$?$',
  accepts: (text) => /^[A-Za-z0-9_]([A-Za-z0-9_.@\\-]*[A-Za-z0-9_.@-])?\$?$/.test(text),
  advice: () => 'use letters, digits, and inside the name also . _ @ and -',
};

/** Any text that is not empty and holds nothing that a terminal obeys: a path, a name. */
export const words = (a: string, example: string): Format => ({
  a,
  example,
  accepts: (text) => text.trim() !== '' && !control.test(text),
  advice: (text) => (control.test(text) ? 'leave out its control characters' : undefined),
});

/** C0, DEL and C1, and the characters that turn the direction of writing (Unicode's Bidi_Control). */
const control = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/;

const withoutLeadingZeros = (text: string): string => text.replace(/\b0+(?=\d)/g, '');
