import { expect, it } from 'vitest';
import { keysOf, signedText } from '../../../src/artifacts/upstream/signature.js';
import { makeSigner } from '../../support/upstream.js';

it('the keys of runc are those of its own repository, by their fingerprints', async () => {
  const openpgp = await import('openpgp');
  const all = (await keysOf('runc')).match(/-----BEGIN PGP PUBLIC KEY BLOCK-----[\s\S]*?-----END[^-]+-----/g) ?? [];
  const each = await Promise.all(all.map((armoredKey) => openpgp.readKey({ armoredKey })));
  expect(each.map((key) => key.getFingerprint().toUpperCase())).toEqual([
    'C9C370B246B09F6DBCFC744C34401015D1D2D386',
    'C2428CD75720FACDCF76B6EA17DE5ECB75A1100E',
    'C020EA876CE4E06C7AB95AEF49524C6F9F638F1A',
  ]);
});

it('a text is what was signed, with the name of who signed it', async () => {
  const [one, other] = [await makeSigner(), await makeSigner()];
  const lines = `${'a'.repeat(64)}  runc.amd64\n- dashes\n`;
  const { text, by } = await signedText(await one.sign(lines), `${other.key}\n${one.key}`);
  expect({ text, by }).toEqual({ text: lines, by: 'Tests <tests@example.com>' });
});

it('what stands before and after the signed text is not part of it', async () => {
  const { key, sign } = await makeSigner();
  const message = await sign('signed\n');
  await expect(signedText(`unsigned\n${message}`, key).then(({ text }) => text)).resolves.toBe('signed\n');
  await expect(signedText(message.replace(/^signed/m, 'signed more'), key)).rejects.toThrow('its signature is not');
  await expect(signedText(message, (await makeSigner()).key)).rejects.toThrow('its signature is not by a key');
  await expect(signedText('signed', key)).rejects.toThrow('it is not signed by PGP');
});
