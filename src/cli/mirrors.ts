import { Failure, Failures } from '../failure.js';
import { unknownName } from '../inventory/did-you-mean.js';

/** Host of the internet → address, of flags `HOST=URL`; Failures names each that is none. `hosts`: those that are asked. */
export const mirrorsOf = (flags: readonly string[], hosts: readonly string[]): Readonly<Record<string, string>> => {
  const parsed = flags.map((flag) => ({ flag, words: /^([^=/]+)=(.+)$/.exec(flag)?.slice(1) ?? [] }));
  const wrong = parsed.filter(({ words: [, url = ''] }) => !isAddress(url));
  if (wrong.length > 0) throw new Failures(wrong.map(({ flag }) => refuse(flag)));
  const unasked = parsed.flatMap(({ words: [host = ''] }) => (hosts.includes(host) ? [] : host));
  if (unasked.length > 0) throw unknownName('a bundle has nothing of', unasked, hosts);
  return Object.fromEntries(parsed.map(({ words: [host = '', url = ''] }) => [host, url]));
};

const isAddress = (url: string): boolean => /^https:\/\/[^@?#]+$/.test(url) && URL.canParse(url);

const refuse = (flag: string): Failure =>
  new Failure('usage', `--mirror ${flag.replace(/\/\/[^/]*@/, '//')} is no HOST=URL`, {
    next: 'write the host and an https address without a login and a query, such as dl.k8s.io=https://mirror.lan/k8s',
  });
