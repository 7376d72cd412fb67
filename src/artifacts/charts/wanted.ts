/** A version of a chart in a repository, `https://…`, or a registry, `oci://…`. */
export interface WantedChart {
  readonly repository: string;
  readonly name: string;
  readonly version: string;
  /** Hex digest that the archive must have. */
  readonly sha256?: string;
}

/** What a repository or a registry gave. */
export interface FoundChart {
  /** Where the archive is from. */
  readonly url: string;
  readonly tgz: Buffer;
  /** What the archive's digest must be, and the address that says so; absent where the repository has none. */
  readonly digest?: { readonly sha256: string; readonly by: string };
}

/** Bytes of an archive. Helm keeps a release in one Secret of about 1 MB; archives with much documentation are larger. */
export const mostOfChart = 16 * 1024 * 1024;
