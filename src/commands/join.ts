import { inventoryFlags, outputFlags, runFlags } from '../cli/flags.js';
import { RunCommand } from '../cli/run-command.js';

export default class Join extends RunCommand {
  static override summary = 'Join workers to the cluster.';
  static override description =
    `Without names, all workers of the inventory; a worker that has joined already stays as it is. Shows the plan and asks
before it changes anything. name=user@address adds a host to the inventory, in the segment of its address.`;
  static override examples = [
    '<%= config.bin %> join',
    '<%= config.bin %> join worker-rack-00',
    '<%= config.bin %> join worker-rack-01=root@192.168.20.21',
  ];
  static override strict = false;
  static override flags = { ...inventoryFlags, ...runFlags, ...outputFlags(['text', 'yaml']) };

  override async run(): Promise<unknown> {
    const { flags, argv } = await this.parse(Join);
    const { resolveJoinTargets } = await import('../workflows/join-targets.js');
    const { limit, ...rest } = flags;
    const { loaded, joining } = await resolveJoinTargets(flags.inventory, argv.map(String), limit);
    return this.runPhases('join', loaded, rest, { joining });
  }
}
