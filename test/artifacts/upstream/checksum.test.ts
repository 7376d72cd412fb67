import { describe, expect, it } from 'vitest';
import { checksumIn } from '../../../src/artifacts/upstream/checksum.js';

const [one, two] = ['1'.repeat(64), 'ab'.repeat(32)] as const;

describe('the sha256 of a file in a published text', () => {
  it.each<[string, string, string | undefined]>([
    ['a bare digest', one, one],
    ['a bare digest with a line end', `${one}\r\n`, one],
    ['in capitals', two.toUpperCase(), two],
    ['a line of sha256sum', `${one}  tool.tar.gz\n`, one],
    ['read as binary', `${one} *tool.tar.gz\n`, one],
    ['below a folder', `${one}  ./release/tool.tar.gz\n`, one],
    ['among others', `${two}  other.tar.gz\n${one}  tool.tar.gz\n`, one],
    [
      'signed by PGP',
      `-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n${two}  other\n${one}  tool.tar.gz\n-----BEGIN PGP SIGNATURE-----\n\niQEz\n-----END PGP SIGNATURE-----\n`,
      one,
    ],
    ['of another file alone', `${one}  other.tar.gz\n`, undefined],
    ['of a name that only ends so', `${one}  my-tool.tar.gz\n`, undefined],
    ['too short', one.slice(1), undefined],
    ['a page of HTML', '<html>not found</html>', undefined],
    ['nothing', '', undefined],
  ])('%s', (_name, text, expected) => {
    expect(checksumIn(text, 'tool.tar.gz')).toBe(expected);
  });
});
