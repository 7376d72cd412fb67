import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Words that were given up → what to say instead. Whole words, in any case, in identifiers as well as in sentences. */
const retired: readonly (readonly [words: string, instead: string])[] = [
  ['speakers?|spokesm[ae]n', 'the API host'],
  ['itinerar(?:y|ies)', 'the phases of hosts'],
  ['surveys?', 'to observe, an observation'],
  ['hearers?', 'the affected hosts'],
  ['farewells?', 'removal'],
  ['befalls?|befell|befallen', 'the fault that is injected, what happens to'],
  ['furnish(?:e[sd]|ing)?', 'to customize, to provide'],
  ['foresees?|foreseen|foresight', 'to assess, impact'],
  ['rosters?', 'the table of certificates'],
  ['wishes', 'options'],
  ['oblivion', 'cleaning up of state'],
  ['stillness', 'stop'],
  ['sets? aside|setting aside', 'skipped, kept in another folder, commented out'],
  ['for ever', 'without end'],
  ['amiss', 'unhealthy, wrong'],
  ['mend(?:s|ed|ing)?', 'to fix, to repair'],
  ['deaf', 'closed, unreachable'],
  ['heirs?', 'successor'],
  ['parting|partings', 'removal, separation'],
  ['whoever', 'the machine or component by its name'],
  ['whom', 'the machine or component by its name'],
  ['nobody', 'no host, no client; the machine or component by its name'],
  ['somebody', 'another machine or program; the operator'],
  ['everybody', 'every host, every process, all rooms'],
];

/** Where a word is standard in another sense. */
const allowed: readonly (readonly [file: RegExp, line: RegExp])[] = [
  // The Unix account of that name.
  [/./, /nobody:nogroup|nobody:x:65534/],
  // The program of MetalLB that answers ARP.
  [/./, /metallb/i],
  [/^src\/addons\/load-balancer-services\.ts$/, /^ *speaker: \{$/],
  // The rule itself.
  [/^CONTRIBUTING\.md$/, /\(who, somebody, nobody\)/],
];

const folders = ['src', 'test', 'bench', 'scripts', 'docs'];
const pages = ['README.md', 'AGENTS.md', 'CONTRIBUTING.md', 'CHANGELOG.md'];

const files = [
  ...folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && /\.(ts|js|cjs|md|hbs|sh|txt|json|svg)$/.test(entry.name))
      .map(({ parentPath, name }) => relative(root, join(parentPath, name))),
  ),
  ...pages,
].filter((file) => file !== 'test/words.test.ts');

it('retired words are in no file', () => {
  expect(files.flatMap(retiredIn)).toEqual([]);
});

it.each([
  ['const isSpeaker = true;', 'the API host'],
  ['whatIsAmiss(hosts)', 'unhealthy, wrong'],
  ['--set-aside', 'skipped, kept in another folder, commented out'],
  ['Nobody answers.', 'no host, no client; the machine or component by its name'],
  ['it recommends a departing amendment', undefined],
])('%s: say %s', (line, instead) => {
  expect(insteadOf(line)).toBe(instead);
});

/** `file:line: the line (say: …)`. */
function retiredIn(file: string): readonly string[] {
  const lines = readFileSync(join(root, file), 'utf8').split('\n');
  return lines.flatMap((line, index) => {
    const instead = insteadOf(line);
    if (instead === undefined || allowed.some(([where, what]) => where.test(file) && what.test(line))) return [];
    return [`${file}:${index + 1}: ${line.trim()} (say: ${instead})`];
  });
}

/** What to say instead of the first retired word in a line. An identifier is taken apart into its words. */
function insteadOf(line: string): string | undefined {
  const words = line.replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2').replaceAll(/[_-]/g, ' ');
  return retired.find(([word]) => new RegExp(`\\b(?:${word})\\b`, 'i').test(words))?.[1];
}
