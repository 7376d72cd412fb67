import { integer } from '@oclif/core/flags';
import { BaseCommand } from '../cli/base-command.js';
import { hostFlags, inventoryFlags } from '../cli/flags.js';

export default class ProxyCommand extends BaseCommand {
  static override summary = 'Reach the API through SSH, on a port of this machine, until Ctrl-C.';
  static override description =
    `For a machine that reaches hosts over SSH and has no route to the API. Each connection to the port goes through a control
plane to its API server; another control plane takes over where one does not answer, and a lost SSH connection is made
again. TLS is between client and API server: the proxy sees no request, and lends its users no rights.`;
  static override examples = [
    '<%= config.bin %> proxy',
    '<%= config.bin %> proxy --port 6443',
    'kubectl --server=https://127.0.0.1:6443 --tls-server-name=kubernetes.default.svc get pods   # with a kubeconfig of your own',
  ];
  static override flags = {
    ...inventoryFlags,
    'accept-new-host-keys': hostFlags['accept-new-host-keys'],
    port: integer({
      description: 'the port of 127.0.0.1; a free one when absent',
      helpValue: 'PORT',
      min: 1,
      max: 65_535,
    }),
  };

  // Ctrl-C is how it is meant to end.
  protected override readonly interruption = { says: 'closing the proxy', status: 0 };

  override async run(): Promise<unknown> {
    const { flags } = await this.parse(ProxyCommand);
    const { proxy } = await import('../workflows/proxy.js');
    return proxy(flags.inventory, {
      port: flags.port ?? 0,
      acceptNewHostKeys: flags['accept-new-host-keys'],
      signal: this.signal,
      say: (text) => this.say(text),
      ready: ({ server, tlsServerName, kubeconfig }) => {
        if (kubeconfig !== undefined) this.print(`export KUBECONFIG=${kubeconfig}`);
        this.say(
          `the API is at ${server} until Ctrl-C; with another kubeconfig: kubectl --server=${server} --tls-server-name=${tlsServerName}`,
        );
      },
    });
  }
}
