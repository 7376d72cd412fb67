import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const sources = ['package.json', 'bin/dev.js', ...filesUnder('src'), ...filesUnder('test/cli/fixture')];

/**
 * A folder that holds kbs and the fixture as plain JavaScript, made again when one of them has changed. A process that
 * need not translate TypeScript starts in a fifth of the time, and these tests start many.
 */
export const compiled = join(root, 'node_modules/.cache/kbs-compiled', digest());

if (!existsSync(compiled)) await compile();

/** Several test processes may come here at once: the first that is done wins, with the same result. */
async function compile(): Promise<void> {
  const translated = await translator();
  const making = `${compiled}.${process.pid}`;
  for (const file of sources) {
    const target = join(making, file.replace(/\.ts$/, '.js'));
    mkdirSync(dirname(target), { recursive: true });
    if (file.endsWith('.ts')) writeFileSync(target, translated(readFileSync(join(root, file), 'utf8')));
    else cpSync(join(root, file), target);
  }
  symlinkSync(join(root, 'node_modules'), join(making, 'node_modules'));
  if (!existsSync(compiled)) renameSync(making, compiled);
  else rmSync(making, { recursive: true });
}

function digest(): string {
  const hash = createHash('sha256');
  for (const file of sources)
    hash
      .update(`${file}\0`)
      .update(readFileSync(join(root, file)))
      .update('\0');
  return hash.digest('hex').slice(0, 16);
}

/** The compiler takes longer to load than most tests take: only here, where it is needed. */
async function translator(): Promise<(text: string) => string> {
  const { default: ts } = await import('typescript');
  const { ES2023: target } = ts.ScriptTarget;
  const { ES2022: module } = ts.ModuleKind;
  const compilerOptions = { target, module, verbatimModuleSyntax: true };
  return (text) => ts.transpileModule(text, { compilerOptions }).outputText;
}

function filesUnder(folder: string): readonly string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length));
}
