import ssh2, { type ParsedKey, type SignCallback, type SigningRequestOptions } from 'ssh2';

/** A key that a host is asked to accept. */
export interface Offer {
  /** For sentences: `the key PATH`. */
  readonly name: string;
  /** The public half at least. */
  readonly key: ParsedKey;
  /** The signature of `data`, in ssh2's form. Called only once the host has said that it takes the key. */
  sign(data: Buffer, hash: SigningRequestOptions['hash']): Promise<Buffer>;
}

/** An offer as ssh2 takes it: an agent that holds one key. */
export class OfferedKey extends ssh2.BaseAgent<ParsedKey> {
  readonly name: string;
  /** Whether the host said that it takes this key, and has its signature. */
  signed = false;
  readonly #offer: Offer;

  constructor(offer: Offer) {
    super();
    this.name = offer.name;
    this.#offer = offer;
  }

  override getIdentities(give: (error: undefined, keys: ParsedKey[]) => void): void {
    give(undefined, [this.#offer.key]);
  }

  override sign(
    _key: ParsedKey,
    data: Buffer,
    options: SigningRequestOptions | SignCallback,
    callback?: SignCallback,
  ): void {
    const [hash, give] = typeof options === 'function' ? [undefined, options] : [options.hash, callback];
    this.#offer.sign(data, hash).then(
      (signature) => {
        this.signed = true;
        give?.(undefined, signature);
      },
      (error) => give?.(error),
    );
  }
}
