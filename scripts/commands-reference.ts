import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Command } from '@oclif/core/command';

/** Every command below the folder, in Markdown: what it does, its arguments, flags and examples. */
export async function commandsReference(folder: string): Promise<string> {
  const commands = await commandsIn(folder);
  const common = Object.entries(commands[0]?.command.baseFlags ?? {});
  return `# Commands

<!-- Written by npm run generate from src/commands. -->

Results go to stdout, everything else to stderr. ${exitStatuses}

Every command understands these flags:

${table(common)}

${commands.map((one) => section(one)).join('\n\n')}
`;
}

const exitStatuses = `Exit status: 0 done, 1 a bug of kbs, 2 wrong usage, 3 inventory
invalid, 4 preflight refused, 5 a needed host cannot be reached, 6 a host refused, 7 a wait ran out, 8 partial: some
hosts skipped, 9 locked by another run, 10 changes pending (\`plan\`, \`drift\`)
or a failure that the cluster would not survive (\`what-if\`), 130 interrupted, safe to run again.`;

interface Named {
  /** \`bundle build\` */
  readonly words: string;
  readonly command: CommandClass;
}

/** What a command's class says about itself; oclif's types promise it all, and a class may leave it out. */
type CommandClass = Partial<
  Pick<Command.Class, 'summary' | 'description' | 'args' | 'flags' | 'baseFlags' | 'examples'>
>;

async function commandsIn(folder: string): Promise<readonly Named[]> {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.ts'));
  return Promise.all(
    files.toSorted().map(async (path) => {
      // Each file there exports one command and nothing else.
      const loaded = (await import(pathToFileURL(resolve(join(folder, path))).href)) as { default: CommandClass };
      return { words: path.replace(/\.ts$/, '').replaceAll('/', ' '), command: loaded.default };
    }),
  );
}

function section({ words, command }: Named): string {
  const args = Object.entries(command.args ?? {});
  const usage = args.map(([name, { required }]) => (required ? name.toUpperCase() : `[${name.toUpperCase()}]`));
  const examples = (command.examples ?? []).map((example) => (typeof example === 'string' ? example : example.command));
  return [
    `## \`${['kbs', words, ...usage].join(' ')}\``,
    command.summary,
    plain(command.description),
    args.length > 0
      ? args.map(([name, { description }]) => `- \`${name.toUpperCase()}\`: ${description ?? ''}`).join('\n')
      : '',
    table(Object.entries(command.flags ?? {})),
    examples.length > 0 ? `\`\`\`sh\n${examples.map(plain).join('\n')}\n\`\`\`` : '',
  ]
    .filter(Boolean)
    .join('\n\n');
}

function table(flags: readonly (readonly [string, Command.Class['flags'][string]])[]): string {
  if (flags.length === 0) return '';
  return ['| flag | meaning |', '|---|---|', ...flags.map(([name, flag]) => row(name, flag))].join('\n');
}

function row(name: string, flag: Command.Class['flags'][string]): string {
  const value =
    flag.type === 'boolean'
      ? ''
      : ` ${(flag.options?.join('|') ?? String(flag.helpValue ?? 'VALUE')).replaceAll('|', '\\|')}`;
  const short = flag.char === undefined ? '' : `\`-${flag.char}\`, `;
  const fallback = typeof flag.default === 'string' ? ` Default: \`${flag.default}\`.` : '';
  const environment = flag.env === undefined ? '' : ` From the environment: \`${flag.env}\`.`;
  return `| ${short}\`--${name}${value}\` | ${flag.description ?? ''}.${fallback}${environment} |`;
}

const plain = (text = ''): string => text.replaceAll('<%= config.bin %>', 'kbs');
