import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { outlinesOf } from '../../src/cli/events/command-outline.js';
import { completionText, type Shell } from '../../src/cli/text/completion-text.js';
import { kbsIn } from './process.js';

const flags = { inventory: { description: "the operator's inventory" }, secret: { hidden: true } };
const commands = outlinesOf([
  { id: 'certs:renew', hidden: false, summary: 'Renew certificates', flags },
  { id: 'certs:check', hidden: false, flags: {} },
  { id: 'init', hidden: false, flags },
  { id: 'internal', hidden: true, flags: {} },
]);

/** What a real bash offers after these words. */
function offered(...words: readonly string[]): readonly string[] {
  const script = `${completionText('bash', 'kbs', commands)}
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _kbs; echo "\${COMPREPLY[*]}"`;
  const { stdout, stderr } = spawnSync('bash', ['--norc', '-euc', script, 'bash', ...words], { encoding: 'utf8' });
  expect(stderr).toBe('');
  return stdout.trim().split(' ').filter(Boolean);
}

it.each([
  [
    ['kbs', ''],
    ['certs', 'init'],
  ],
  [['kbs', 'in'], ['init']],
  [
    ['kbs', 'certs', ''],
    ['check', 'renew'],
  ],
  [['kbs', 'certs', 'renew', '--'], ['--inventory']],
  [['kbs', 'init', 'worker-00', '--inv'], ['--inventory']],
  [['kbs', 'certs', 'check', '-'], []],
])('bash completes %j with %j', (words, expected) => {
  expect(offered(...words)).toEqual(expected);
});

it.each(['bash', 'zsh', 'fish'] as const)('the script for %s parses where that shell is installed', (shell: Shell) => {
  const folder = mkdtempSync(join(tmpdir(), 'kbs-completion-'));
  try {
    writeFileSync(join(folder, 'script'), completionText(shell, 'kbs', commands));
    const { status, error } = spawnSync(shell, ['-n', join(folder, 'script')]);
    if (error) return;
    expect(status).toBe(0);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

it('kbs completion prints what its own commands are', () => {
  const { stdout, code } = kbsIn('/', ['completion', 'fish']);
  expect(code).toBe(0);
  expect(stdout).toContain("complete -c kbs -n __fish_use_subcommand -a 'completion'");
  // The flags of every command, also of one that is made from another.
  expect(stdout).toContain("-n '__fish_seen_subcommand_from drift' -l json");
  expect(stdout).toContain("-n '__fish_seen_subcommand_from drift' -l events");
});
