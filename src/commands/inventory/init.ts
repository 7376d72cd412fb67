import { dirname, join } from 'node:path';
import { string as argument } from '@oclif/core/args';
import { boolean, string } from '@oclif/core/flags';
import { BaseCommand } from '../../cli/base-command.js';
import { consentFlags } from '../../cli/flags.js';
import { exits, Failure } from '../../failure.js';

export default class InventoryInit extends BaseCommand {
  static override summary = 'Write an inventory to start from.';
  static override description =
    `On a terminal it asks five questions, each with a default; flags answer them beforehand, and --yes takes the defaults for
the rest. Without a terminal and without flags it writes a commented example. No host is contacted.`;
  static override examples = [
    '<%= config.bin %> inventory init',
    '<%= config.bin %> inventory init lab.yaml --example',
    '<%= config.bin %> inventory init --hosts "192.168.10.10 192.168.10.20" --user ops --yes',
    '<%= config.bin %> inventory init --hosts 10.0.0.1,10.0.0.2,10.0.0.3,10.0.0.4 --endpoint 10.0.0.9 --style systemd --yes',
  ];
  static override args = { file: argument({ description: 'the new file', default: 'kbs.yaml' }) };
  static override flags = {
    ...consentFlags,
    hosts: string({ description: 'IPv4 addresses of the hosts, control planes first', helpValue: 'ADDRESSES' }),
    user: string({ description: 'the user that logs in', helpValue: 'USER' }),
    segments: string({ description: 'networks of the hosts, as CIDR or CIDR=ROUTER', helpValue: 'CIDRS' }),
    endpoint: string({
      description: 'a free address that control planes hold together, external:NAME or none',
      helpValue: 'ADDRESS',
    }),
    style: string({ description: 'how the control plane runs', options: ['static-pods', 'systemd'] }),
    example: boolean({
      description: 'write a commented example of two segments, and ask nothing',
      exclusive: ['hosts', 'user', 'segments', 'endpoint', 'style', 'yes'],
    }),
  };

  protected override readonly interruption = { says: 'Nothing is written.', status: exits.interrupted };

  override async run(): Promise<unknown> {
    const { args, flags } = await this.parse(InventoryInit);
    const { file } = args;
    const { hosts, user, segments, endpoint, style } = flags;
    const [{ defined }, { isTerminal, openQuestions }] = await Promise.all([
      import('../../defined.js'),
      import('../../cli/questions.js'),
    ]);
    const given = defined({ hosts, user, segments, endpoint, style });
    const isBare = Object.keys(given).length === 0 && !flags.yes;
    if (flags.example || (isBare && !isTerminal())) {
      const { writeExample } = await import('../../workflows/example-inventory.js');
      await writeExample(file);
      return this.#written(file, 'edit it, then check it with');
    }
    const [{ askInventory, requireNew, surroundings }, { writeInventory }] = await Promise.all([
      import('../../workflows/new-inventory.js'),
      import('../../workflows/write-inventory.js'),
    ]);
    requireNew(file);
    const isComplete = Object.keys(given).length === 5 || flags.yes;
    if (!isComplete && !isTerminal()) {
      throw new Failure('usage', 'some questions have no answer, and there is no terminal to ask them on', {
        next: 'give --yes to take the defaults for them: kbs inventory init --help',
      });
    }
    const questions = isComplete ? undefined : openQuestions(this.signal);
    try {
      const dialogue = questions && { ask: questions.ask, say: (text: string) => this.say(text) };
      await writeInventory(file, await askInventory(file, given, surroundings(), dialogue), false);
    } finally {
      questions?.close();
    }
    return this.#written(file, 'check it with');
  }

  #written(file: string, next: string): { readonly file: string } {
    const schema = join(dirname(file), 'kbs.schema.json');
    this.print(`${file} is written: ${next}: kbs inventory validate -i ${file}
for completion and checks in an editor: kbs inventory schema > ${schema}`);
    return { file };
  }
}
