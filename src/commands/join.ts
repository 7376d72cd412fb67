import { string } from '@oclif/core/flags';
import { inventoryFlags, outputFlags, runFlags } from '../cli/flags.js';
import { RunCommand } from '../cli/run-command.js';

export default class Join extends RunCommand {
  static override summary = 'Join workers to the cluster.';
  static override description =
    `Without names, all workers of the inventory; a worker that has joined already stays as it is. Shows the plan and asks
before it changes anything. name=user@address adds a host to the inventory, in the segment of its address. --label and
--taint are written into the inventory, for every host that is named here; nodes that have joined already get them too.`;
  static override examples = [
    '<%= config.bin %> join',
    '<%= config.bin %> join worker-rack-00',
    '<%= config.bin %> join worker-rack-01=root@192.168.20.21',
    '<%= config.bin %> join worker-gpu-00 --label tier=training --taint nvidia.com/gpu=present:NoSchedule',
  ];
  static override strict = false;
  static override flags = {
    ...inventoryFlags,
    ...runFlags,
    ...outputFlags(['text', 'yaml']),
    label: string({
      description: 'a label of the named hosts, for their entries in the inventory; may be repeated',
      helpValue: 'KEY=VALUE',
      multiple: true,
      multipleNonGreedy: true,
    }),
    taint: string({
      description: 'a taint of the named hosts, for their entries in the inventory; may be repeated',
      helpValue: 'KEY=VALUE:EFFECT',
      multiple: true,
      multipleNonGreedy: true,
    }),
  };

  override async run(): Promise<unknown> {
    const { flags, argv } = await this.parse(Join);
    const { resolveJoinTargets } = await import('../workflows/join-targets.js');
    const { limit, label: labels = [], taint: taints = [], ...rest } = flags;
    const { loaded, joining } = await resolveJoinTargets(flags.inventory, argv.map(String), limit, { labels, taints });
    return this.runPhases('join', loaded, rest, { joining });
  }
}
