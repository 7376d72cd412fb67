import { string } from '@oclif/core/args';
import { string as choice } from '@oclif/core/flags';
import { lifetime, operationFlags } from '../../cli/flags.js';
import { RunCommand, type RunFlags } from '../../cli/run-command.js';
import { defined } from '../../defined.js';
import type { LoadedCluster } from '../../workflows/load-cluster.js';
import type { Issued } from '../../workflows/users.js';

export default class AddonsOpen extends RunCommand {
  static override summary = 'The address of an add-on, and a token to log in with where it asks for one.';
  static override description =
    `The address is the first line on stdout, the token of the dashboard the second. The token is the add-on's own, which may
only look. For edit and admin the cluster gets to know a user dashboard-ROLE, as kbs kubeconfig --user makes them: a plan is
shown first, and kbs users remove dashboard-ROLE ends the access. Where nothing asks for a token, no host is contacted.`;
  static override examples = [
    '<%= config.bin %> addons open dashboard',
    '<%= config.bin %> addons open dashboard --role admin --expires 30m',
  ];
  static override args = { name: string({ description: 'the add-on', required: true }) };
  static override flags = {
    ...operationFlags,
    role: choice({
      description: 'what the token may do: view (without Secrets), edit or admin',
      options: ['view', 'edit', 'admin'],
      default: 'view',
    }),
    expires: lifetime({ description: 'how long the token lives, as 30m or 12h; 1h when absent' }),
  };

  override async run(): Promise<unknown> {
    const { args, flags } = await this.parse(AddonsOpen);
    const [{ loadCluster }, { addressOf, viewerToken }] = await Promise.all([
      import('../../workflows/load-cluster.js'),
      import('../../workflows/addons/open.js'),
    ]);
    const loaded = await loadCluster(flags.inventory);
    const { name, url, forward, viewer } = addressOf(loaded, args.name);
    const seconds = flags.expires ?? 3600;
    const options = { seconds, acceptNewHostKeys: flags['accept-new-host-keys'], limits: this.limits(flags) };
    if (viewer === undefined) return this.#shown({ name, url, forward });
    if (flags.role === 'view') {
      const { token, expires } = await viewerToken(loaded, viewer, options);
      return this.#shown({ name, url, forward, token: token.reveal(), expires });
    }
    const user = `${name}-${flags.role}`;
    const { plan, issued } = await this.#granted(loaded, user, { ...flags, seconds });
    if (issued === undefined) return plan;
    const shown = this.#shown({ name, url, forward, token: issued.token.reveal(), expires: issued.expires });
    this.say(`to end it before: kbs users remove ${user}`);
    return { ...shown, user, plan };
  }

  /** Nothing is issued in a dry run. */
  async #granted(loaded: LoadedCluster, name: string, { role, seconds, ...flags }: GrantFlags) {
    const { grantAccess } = await import('../../workflows/users.js');
    let issued: Issued | undefined;
    const workflow = grantAccess({
      name,
      seconds,
      role: role as 'edit' | 'admin', // the flag has no other options left
      clusterName: loaded.cluster.name,
      local: [],
      check: async () => undefined,
      onDone: (done) => {
        issued = done;
      },
    });
    const { plan } = await this.runWorkflow(workflow, loaded, flags);
    return { plan, ...defined({ issued }) };
  }

  /** The token is on stdout alone, also in the JSON document. */
  #shown({ forward, ...shown }: Shown): object {
    this.print(shown.url);
    if (shown.token !== undefined) this.print(shown.token);
    if (forward !== undefined)
      this.say(`the inventory gives it no host; for this address to lead there, run ${forward}`);
    if (shown.expires !== undefined) this.say(`the token ends at ${shown.expires}`);
    return { ...shown, ...defined({ forward }) };
  }
}

interface Shown {
  readonly name: string;
  readonly url: string;
  readonly forward: string | undefined;
  readonly token?: string | undefined;
  readonly expires?: string;
}

interface GrantFlags extends RunFlags {
  readonly role: string;
  readonly seconds: number;
}
