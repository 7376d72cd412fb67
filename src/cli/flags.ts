import { CLIError } from '@oclif/core/errors';
import { boolean, custom, directory, option, string } from '@oclif/core/flags';
import { architectures } from '../artifacts/arch.js';
import { unknownName } from '../inventory/did-you-mean.js';
import { type CheckName, checkNames } from '../preflight/check-names.js';

/** Of every command. */
export const commonFlags = {
  json: boolean({ description: 'print one JSON document on stdout at the end', helpGroup: 'GLOBAL' }),
  verbose: boolean({ char: 'v', description: 'say more', helpGroup: 'GLOBAL' }),
  'no-color': boolean({ description: 'no colours (also: NO_COLOR)', helpGroup: 'GLOBAL' }),
};

/** Of commands that read an inventory. */
export const inventoryFlags = {
  inventory: string({
    char: 'i',
    description: 'the inventory',
    env: 'KBS_INVENTORY',
    default: './kbs.yaml',
    helpValue: 'FILE',
  }),
};

/** Names, given several times or separated by commas. */
export const names = custom<string[]>({ multiple: true, delimiter: ',', multipleNonGreedy: true });

/** Names of preflight checks. They are no `options` to oclif: it would print all of them twice in every help. */
const skippedChecks = custom<CheckName>({
  multiple: true,
  delimiter: ',',
  multipleNonGreedy: true,
  helpValue: 'CHECK',
  parse: async (name) => {
    const check = checkNames.find((known) => known === name);
    if (check !== undefined) return check;
    throw unknownName('there is no preflight check', [name], checkNames, 'see docs/reference/preflight.md');
  },
});

/** Of commands that can do a part of their work. */
export const selectionFlags = {
  limit: names({ description: 'only these hosts, separated by commas', helpValue: 'HOST' }),
  only: names({ description: 'only these phases, separated by commas', helpValue: 'PHASE' }),
  from: string({ description: 'from this phase on', helpValue: 'PHASE' }),
};

/** A time as `90`, `90s`, `5m` or `1h`; the value is in milliseconds. */
const time = custom<number>({
  helpValue: 'TIME',
  parse: async (text) => {
    const [, digits, unit = 's'] = /^(\d+)(s|m|h)?$/.exec(text) ?? [];
    if (digits === undefined) throw new CLIError(`${text} is no time: write 90s, 5m or 1h`, { exit: 2 });
    return Number(digits) * ({ s: 1_000, m: 60_000, h: 3_600_000 }[unit] ?? 1_000);
  },
});

/** How long something is valid, as `12h` or `30d`; the value is in seconds. The API server gives no token for less. */
export const lifetime = custom<number>({
  helpValue: 'TIME',
  parse: async (text) => {
    const [, digits, unit = ''] = /^(\d+)(m|h|d)$/.exec(text) ?? [];
    const seconds = Number(digits) * ({ m: 60, h: 3600, d: 86_400 }[unit] ?? 0);
    if (seconds >= 600 && seconds <= 366 * 86_400) return seconds;
    throw new CLIError(`${text} is no lifetime: write 90m, 12h or 30d, from 10m to 366d`, { exit: 2 });
  },
});

/** Of commands that talk to hosts. */
export const hostFlags = {
  timeout: time({ description: 'longest wait for one step, as 90s, 5m or 1h' }),
  'accept-new-host-keys': boolean({ description: 'trust hosts that are not in known_hosts yet, and remember them' }),
};

/** Of commands that change something on purpose. */
export const consentFlags = {
  yes: boolean({ char: 'y', description: 'do not ask' }),
};

/** Of commands that run phases on hosts: with selection, host and consent flags, all that a run understands. */
export const runFlags = {
  ...selectionFlags,
  ...hostFlags,
  ...consentFlags,
  'dry-run': boolean({ description: 'show what would change and touch nothing' }),
  'skip-check': skippedChecks({
    description: 'skip these preflight checks, separated by commas; `preflight -v` names them',
  }),
  events: string({ description: 'every event as a line of JSON, into a file or to stdout', helpValue: 'FILE|-' }),
};

/** Of commands that change a cluster by operations and choose neither phases nor hosts by `--limit`. */
export const operationFlags = {
  ...inventoryFlags,
  ...hostFlags,
  ...consentFlags,
  'dry-run': runFlags['dry-run'],
  events: runFlags.events,
};

/** `-o` with the formats of one command. */
export const outputFlags = <const Formats extends readonly string[]>(formats: Formats) => ({
  output: option({ char: 'o', description: 'format of the result', options: formats })(),
});

/** `-o` with a file name: `plan -o plan.json`. */
export const fileFlags = {
  output: string({ char: 'o', description: 'write the result to this file', helpValue: 'FILE' }),
};

/** Of commands that make a bundle. */
export const bundleFlags = {
  version: string({ description: 'the Kubernetes version; the newest that kbs knows when absent' }),
  arch: option({
    description: 'the architectures of the hosts, separated by commas; this machine’s when absent',
    options: architectures,
    multiple: true,
    delimiter: ',',
    multipleNonGreedy: true,
    helpValue: 'ARCH',
  })(),
  addons: boolean({ description: 'also what add-ons need: helm, their images and their charts' }),
  into: directory({ description: 'a folder, or a file that ends in .tar; inside the cache when absent' }),
};
