import { BaseCommand } from '../../cli/base-command.js';

export default class LabStatus extends BaseCommand {
  static override summary = 'The labs that stand on this machine, and their hosts.';
  static override examples = ['<%= config.bin %> lab status'];

  override async run(): Promise<unknown> {
    await this.parse(LabStatus);
    const { labStatus } = await import('../../lab/index.js');
    const { labsText } = await import('../../cli/text/labs-text.js');
    const labs = await labStatus();
    this.print(labsText(labs));
    return labs;
  }
}
