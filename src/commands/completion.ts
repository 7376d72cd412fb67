import { string } from '@oclif/core/args';
import { BaseCommand } from '../cli/base-command.js';
import { outlinesOf } from '../cli/events/command-outline.js';
import { completionText, type Shell, shells } from '../cli/text/completion-text.js';

export default class Completion extends BaseCommand {
  static override summary = 'Print a script that completes commands and flags in your shell';
  static override examples = [
    'source <(<%= config.bin %> completion bash)',
    '<%= config.bin %> completion fish > ~/.config/fish/completions/<%= config.bin %>.fish',
  ];
  static override args = { shell: string({ description: 'your shell', options: [...shells], required: true }) };

  async run(): Promise<{ script: string }> {
    const { args } = await this.parse(Completion);
    // The parser has checked it against the same list.
    const script = completionText(args.shell as Shell, this.config.bin, outlinesOf(this.config.commands));
    this.print(script);
    return { script };
  }
}
