import { string as argument } from '@oclif/core/args';
import { boolean, string } from '@oclif/core/flags';
import { consentFlags, fileFlags, hostFlags, inventoryFlags, lifetime, names, runFlags } from '../cli/flags.js';
import { RunCommand } from '../cli/run-command.js';
import { Failure } from '../failure.js';
import type { KubeconfigEntries } from '../pki/kubeconfig.js';
import type { LoadedCluster } from '../workflows/load-cluster.js';
import type { Issued } from '../workflows/users.js';

export default class Kubeconfig extends RunCommand {
  static override summary =
    "The administrator's kubeconfig, or one for a person: printed, written or merged into your own.";
  static override description =
    `Without --user it is the administrator's, and nothing is contacted. With --user the cluster gets to know a person, who may
do what the role says and no more: a plan is shown first. Given again, the person gets a new token; what no flag names stays
as it was. The access ends with the token, and at once with: kbs users remove NAME

--merge puts it into $KUBECONFIG or ~/.kube/config, or into FILE. Other clusters there stay, and so does every line that is
about them; entries of the same name that belong to another cluster are not replaced.`;
  // Never `> ~/.kube/config`: the shell empties that file before kbs has anything to put there.
  static override examples = [
    '<%= config.bin %> kubeconfig --merge',
    '<%= config.bin %> kubeconfig --merge ~/.kube/work --name hybrid-office',
    '<%= config.bin %> kubeconfig --user anna -o anna.kubeconfig',
    '<%= config.bin %> kubeconfig --user ben --role edit --namespace shop --expires 7d -o ben.kubeconfig',
    '<%= config.bin %> kubeconfig --user cleo --group developers --namespace shop --dry-run',
  ];
  static override args = { file: argument({ description: 'with --merge: the kubeconfig to merge into' }) };
  static override flags = {
    ...inventoryFlags,
    ...hostFlags,
    ...consentFlags,
    merge: boolean({ description: 'add it to $KUBECONFIG, ~/.kube/config or FILE, and make it the current context' }),
    name: string({
      description: "the cluster's name in the kubeconfig; that of the inventory when absent",
      helpValue: 'NAME',
    }),
    output: { ...fileFlags.output, description: 'write it to this file, for its owner only', exclusive: ['merge'] },
    user: string({ description: 'for this person, who is given access', helpValue: 'NAME' }),
    group: names({ description: 'groups whose rights the person has, too', helpValue: 'GROUP', dependsOn: ['user'] }),
    role: string({
      description: 'what the person may do: view (without Secrets), edit or admin; view when absent',
      options: ['view', 'edit', 'admin'],
      dependsOn: ['user'],
    }),
    namespace: names({
      char: 'n',
      description: 'only in these namespaces; everywhere when absent',
      helpValue: 'NAME',
      dependsOn: ['user'],
    }),
    'all-namespaces': boolean({
      description: 'everywhere, for a person who was confined to namespaces',
      dependsOn: ['user'],
      exclusive: ['namespace'],
    }),
    expires: lifetime({ description: 'how long the token lives, as 12h or 30d; 30d when absent', dependsOn: ['user'] }),
    'dry-run': boolean({ description: runFlags['dry-run'].description ?? '', dependsOn: ['user'] }),
    events: runFlags.events,
  };

  override async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Kubeconfig);
    if (args.file !== undefined && !flags.merge) {
      throw new Failure('usage', `${args.file} is a file to merge into`, {
        next: `merge: kbs kubeconfig --merge ${args.file}; or write there: -o ${args.file}`,
      });
    }
    const { loadCluster } = await import('../workflows/load-cluster.js');
    const loaded = await loadCluster(flags.inventory);
    return flags.user === undefined
      ? this.#administrator(loaded, args.file, flags)
      : this.#person(loaded, args.file, flags);
  }

  async #administrator(loaded: LoadedCluster, file: string | undefined, flags: Where): Promise<unknown> {
    const { administratorEntries, readKubeconfig } = await import('../workflows/kubeconfig.js');
    if (!flags.merge && flags.output === undefined && flags.name === undefined) {
      this.print((await readKubeconfig(loaded)).reveal());
      return { path: `${loaded.state}/kubeconfig` };
    }
    const entries = await administratorEntries(loaded, flags.name ?? loaded.cluster.name);
    return this.#deliver(entries, file, flags);
  }

  async #person(loaded: LoadedCluster, file: string | undefined, flags: Flags): Promise<unknown> {
    const [{ grantAccess }, { mergedWith, ownKubeconfig }] = await Promise.all([
      import('../workflows/users.js'),
      import('../workflows/kubeconfig.js'),
    ]);
    const path = flags.merge ? (file ?? ownKubeconfig()) : flags.output;
    let issued: Issued | undefined;
    const workflow = grantAccess({
      name: flags.user ?? '',
      seconds: flags.expires ?? 30 * 24 * 3600,
      clusterName: flags.name ?? loaded.cluster.name,
      ...(flags.role === undefined ? {} : { role: flags.role as 'view' | 'edit' | 'admin' }),
      ...(flags['all-namespaces']
        ? { namespaces: [] }
        : flags.namespace?.length
          ? { namespaces: flags.namespace }
          : {}),
      ...(flags.group?.length ? { groups: flags.group } : {}),
      local: path === undefined ? [] : [`on this machine: ${flags.merge ? 'changes' : 'writes'} ${path}`],
      check: async (entries) => (flags.merge && path !== undefined ? mergedWith(path, entries) : undefined),
      onDone: (done) => {
        issued = done;
      },
    });
    const { plan } = await this.runWorkflow(workflow, loaded, flags);
    if (issued === undefined) return plan;
    const { grant, expires, entries } = issued;
    const { name, role, namespaces, groups } = grant;
    const where = await this.#deliver(entries, file, flags);
    this.say(`the token of ${name} ends at ${expires}; to end it before: kbs users remove ${name}`);
    return { user: name, role, namespaces, groups, expires, ...where, plan };
  }

  /** To where the flags say. What is printed is in the JSON document, too. */
  async #deliver(entries: KubeconfigEntries, file: string | undefined, { merge, output }: Where): Promise<object> {
    const [{ addToKubeconfig, ownKubeconfig, writePrivately }, { kubeconfigOf }] = await Promise.all([
      import('../workflows/kubeconfig.js'),
      import('../pki/kubeconfig.js'),
    ]);
    const context = entries.context.name;
    if (merge) {
      const path = file ?? ownKubeconfig();
      await addToKubeconfig(path, entries);
      this.print(`merged into ${path}; the current context is ${context}`);
      return { path, context };
    }
    const text = kubeconfigOf(entries);
    if (output !== undefined) {
      await writePrivately(output, text);
      this.print(`wrote ${output}`);
      return { path: output, context };
    }
    this.print(text.reveal());
    return { context, kubeconfig: text.reveal() };
  }
}

/** Where a kubeconfig goes. */
interface Where {
  readonly merge: boolean;
  readonly output: string | undefined;
  readonly name: string | undefined;
}

interface Flags extends Where {
  readonly user: string | undefined;
  readonly group: string[] | undefined;
  readonly role: string | undefined;
  readonly namespace: string[] | undefined;
  readonly 'all-namespaces': boolean;
  readonly expires: number | undefined;
}
