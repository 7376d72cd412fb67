import { string } from '@oclif/core/args';
import type { setHostState } from '../workflows/lab.js';
import { BaseCommand } from './base-command.js';
import { inventoryFlags } from './flags.js';

/** The arguments of the commands that do something to hosts of a lab. */
export const labHostArgs = {
  hosts: string({ description: 'names of hosts, `segment=NAME`, or `all`', required: true }),
};

/** What the commands share that bring hosts of a lab into another state: kill, start, pause and resume. */
export abstract class LabHostCommand extends BaseCommand {
  // See RunCommand: oclif gathers the common flags from classes that have such a static of their own.
  static override baseFlags = BaseCommand.baseFlags;

  /** Does it to the hosts that the arguments name, and prints their names behind the state that they are in now. */
  protected async bringTo(state: string, action: Parameters<typeof setHostState>[1]): Promise<unknown> {
    const { flags, argv } = await this.parse({
      args: labHostArgs,
      flags: inventoryFlags,
      baseFlags: BaseCommand.baseFlags,
      enableJsonFlag: true,
      strict: false,
    });
    const { setHostState } = await import('../workflows/lab.js');
    const done = await setHostState(flags.inventory, action, argv.map(String));
    this.print(`${state}: ${done.hosts.join(', ')}`);
    return done;
  }
}
