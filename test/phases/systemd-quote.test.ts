import { expect, it } from 'vitest';
import { systemdQuote } from '../../src/phases/systemd-quote.js';

it.each([
  ['--name=controller-00', '--name=controller-00'],
  ['--controllers=*,tokencleaner', '--controllers=*,tokencleaner'],
  ['--rate=5%', '--rate=5%%'],
  ['--home=$HOME', '--home=$$HOME'],
  ['a b', '"a b"'],
  ['say "hush"', '"say \\"hush\\""'],
  ['back\\slash', '"back\\\\slash"'],
  ['one;two', '"one;two"'],
  ['', '""'],
])('%j is one word of a command: %s', (word, written) => {
  expect(systemdQuote(word)).toBe(written);
});
