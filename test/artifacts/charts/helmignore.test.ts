import { expect, it } from 'vitest';
import { helmIgnores } from '../../../src/artifacts/charts/helmignore.js';

it.each<[rules: string, out: readonly string[], stays: readonly string[]]>([
  ['', ['templates/.swp'], ['.swp', 'templates/.', 'templates/a/.swp']],
  ['# a comment\n\n  notes.txt  ', ['notes.txt', 'docs/notes.txt'], ['notes.txt.bak', 'notes.txt/x']],
  ['/notes.txt', ['notes.txt'], ['docs/notes.txt']],
  ['docs/*.txt', ['docs/a.txt'], ['docs/deep/a.txt', 'a.txt', 'more/docs/a.txt']],
  ['tests/', ['tests/', 'more/tests/'], ['tests']],
  ['a?c.[a-c]', ['abc.a', 'axc.c'], ['abc.d', 'ac.a']],
  ['[^a]', ['b'], ['a']],
  [String.raw`\*.txt`, ['*.txt'], ['a.txt']],
  ['{a,b}+(c)$', ['{a,b}+(c)$'], ['a', 'ac']],
  ['[ä-ü]', ['ö'], ['o']],
  ['[z-a]', [], ['b', 'z']],
  // Of the first rule that applies, and what a negated one does not match is left out at once.
  ['!*.yaml', ['README.md', 'docs/'], ['Chart.yaml']],
  ['!*.yaml\nvalues.yaml', ['values.yaml', 'README.md'], ['Chart.yaml']],
  ['\uFEFFa', ['a'], ['b']],
])('%j', (rules, out, stays) => {
  const ignores = helmIgnores(rules);
  const leftOut = (path: string) => ignores(path.replace(/\/$/, ''), path.endsWith('/'));
  expect(out.filter((path) => !leftOut(path))).toEqual([]);
  expect(stays.filter(leftOut)).toEqual([]);
});

it('refuses a double star with its line, as helm does', () => {
  expect(() => helmIgnores('# docs\ndocs/**')).toThrow('.helmignore:2: ');
});
