import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pLimit from 'p-limit';
import { keyOf } from '../cache.js';
import { getUrl, openUrl } from '../http.js';
import { checksumIn } from './checksum.js';
import { download, type Wanted, WrongContent } from './download.js';
import { type Mirrors, mirroredUrl } from './mirrors.js';
import type { Pins } from './pins.js';
import { keysOf, type Signer, signedText } from './signature.js';
import type { SourceFile } from './sources.js';

export interface FetchOptions {
  /** The folder of what was downloaded. */
  readonly folder: string;
  readonly mirrors: Mirrors;
  readonly pins: Pins;
  /** Armored public keys, in place of those that kbs has for a signer. */
  readonly keys?: Readonly<Partial<Record<Signer, string>>> | undefined;
  /** Hears of the bytes that arrive. */
  readonly onBytes: (count: number) => void;
  /** Ends what is under way when it aborts. */
  readonly signal?: AbortSignal | undefined;
}

/** Downloads of one run: four at a time, and none twice. */
export class Fetcher {
  readonly #several = pLimit(4);
  readonly #running = new Map<string, Promise<void>>();
  readonly #options: FetchOptions;

  constructor(options: FetchOptions) {
    this.#options = options;
  }

  /** The file `into` has the content that is wanted; errors as of `download`. */
  fetch(wanted: Wanted, into: string): Promise<void> {
    const before = this.#running.get(into);
    if (before !== undefined) return before;
    const running = this.#several(async () => {
      this.#options.signal?.throwIfAborted();
      let last: number | undefined;
      await download({ ...wanted, signal: this.#options.signal }, into, (arrived) => {
        if (last !== undefined && arrived > last) this.#options.onBytes(arrived - last);
        last = arrived;
      });
    });
    this.#running.set(into, running);
    return running;
  }

  /**
   * A published file on this machine, compared with what is pinned, else with the checksum that is published beside it. A
   * file that was compared before needs no network. Throws an Error that says the address and the reason.
   */
  async file({ url, ...source }: SourceFile): Promise<FetchedFile> {
    const { mirrors, pins, signal } = this.#options;
    const file = this.#place(url);
    const expected = await this.digestOf({ url, ...source });
    const address = mirroredUrl(url, mirrors);
    await this.fetch({ url: address, ...expected, open: (headers) => openUrl(address, { headers, signal }) }, file);
    if (pins[url] === undefined) await writeFile(`${file}.sha256`, `${expected.sha256}\n`);
    return { file, sha256: expected.sha256 };
  }

  #place(url: string): string {
    return join(this.#options.folder, keyOf(nameIn(url), [url]));
  }

  /** What a published file must have, without the file itself. Throws an Error that says the address and the reason. */
  async digestOf({
    url,
    checksum,
    signedBy,
  }: Pick<SourceFile, 'url' | 'checksum' | 'signedBy'>): Promise<Pick<Wanted, 'sha256' | 'saidBy'>> {
    const pin = this.#options.pins[url];
    if (pin !== undefined) return { sha256: pin, saidBy: 'what is pinned' };
    const kept = `${this.#place(url)}.sha256`;
    const before = (await readFile(kept, 'utf8').catch(() => '')).trim();
    if (/^[0-9a-f]{64}$/.test(before)) return { sha256: before, saidBy: kept };
    const address = mirroredUrl(checksum, this.#options.mirrors);
    const { status, body } = await getUrl(address, { most: mostOfChecksums, signal: this.#options.signal });
    if (status !== 200) throw new Error(`${address} answers ${status}`);
    const { text, by } = await this.#checked(body.toString(), signedBy, address);
    const found = checksumIn(text, nameIn(url));
    if (found === undefined) throw new Error(`${address} has no sha256 of ${nameIn(url)}`);
    return { sha256: found, saidBy: by === undefined ? address : `${address}, signed by ${by},` };
  }

  /** What of a text is signed, where it is to be. */
  async #checked(
    text: string,
    signer: Signer | undefined,
    address: string,
  ): Promise<{ readonly text: string; readonly by?: string }> {
    if (signer === undefined) return { text };
    return signedText(text, this.#options.keys?.[signer] ?? (await keysOf(signer))).catch((cause: unknown) => {
      throw new WrongContent(`${address}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    });
  }
}

const nameIn = (url: string): string => url.slice(url.lastIndexOf('/') + 1);

const mostOfChecksums = 1024 * 1024;

export interface FetchedFile {
  readonly file: string;
  /** Hex. */
  readonly sha256: string;
}
