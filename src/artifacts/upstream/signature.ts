import { readFile } from 'node:fs/promises';

/** The projects whose signatures are checked: each has a file of public keys beside this one. */
export type Signer = 'runc';

/** The public keys of a project, armored, as its own repository has them: for runc, `runc.keyring`. */
export const keysOf = (signer: Signer): Promise<string> =>
  readFile(new URL(`keyrings/${signer}.asc`, import.meta.url), 'utf8');

/**
 * The text of a message that is clear-signed by PGP (RFC 9580, section 7), and the name in its key. Its signature is by one of the keys,
 * which was valid when it signed. Throws an Error that says why it is not.
 */
export const signedText = async (
  message: string,
  keys: string,
): Promise<{ readonly text: string; readonly by: string }> => {
  // Most commands download nothing.
  const openpgp = await import('openpgp');
  const cleartextMessage = await openpgp.readCleartextMessage({ cleartextMessage: message }).catch((cause: unknown) => {
    throw new Error('it is not signed by PGP', { cause });
  });
  const verificationKeys = await Promise.all(blocksIn(keys).map((armoredKey) => openpgp.readKey({ armoredKey })));
  const { data, signatures } = await openpgp.verify({ message: cleartextMessage, verificationKeys });
  const checked = await Promise.all(
    signatures.map(async ({ verified, keyID }) =>
      verified.then(
        () => ({ by: verificationKeys.find((key) => key.getKeys(keyID).length > 0)?.getUserIDs()[0] ?? keyID.toHex() }),
        (error: unknown) => ({ why: error instanceof Error ? error.message : String(error) }),
      ),
    ),
  );
  const [good] = checked.flatMap((each) => ('by' in each ? each.by : []));
  if (good !== undefined) return { text: data, by: good };
  const why = checked.flatMap((each) => ('why' in each ? each.why : []));
  throw new Error(`its signature is not by a key that kbs knows: ${why.join('; ') || 'there is none'}`);
};

const blocksIn = (keys: string): readonly string[] =>
  keys.match(/-----BEGIN PGP PUBLIC KEY BLOCK-----[\s\S]*?-----END PGP PUBLIC KEY BLOCK-----/g) ?? [];
