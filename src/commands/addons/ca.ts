import { BaseCommand } from '../../cli/base-command.js';
import { inventoryFlags } from '../../cli/flags.js';

export default class AddonsCa extends BaseCommand {
  static override summary = "The certificate of the ingress controller's authority, as PEM.";
  static override description =
    `Whatever imports it trusts the names of the add-on ingress: *.apps of the zone, and those of add-ons. It certifies
nothing of the cluster itself. Its key is in the keyring, and with the add-on cert-manager in the cluster. No host is contacted.

Import it once on each machine:
  Debian, Ubuntu  /usr/local/share/ca-certificates/NAME.crt, then update-ca-certificates
  Fedora, RHEL    /etc/pki/ca-trust/source/anchors/NAME.pem, then update-ca-trust
  macOS           security add-trusted-cert -d -k /Library/Keychains/System.keychain FILE
  Windows         certutil -addstore Root FILE
  Firefox         Settings, Privacy & Security, View Certificates, Authorities, Import
  one request     curl --cacert FILE https://…`;
  static override examples = [
    '<%= config.bin %> addons ca > lan-ca.pem',
    '<%= config.bin %> addons ca | ssh root@desk "cat > /usr/local/share/ca-certificates/lan.crt && update-ca-certificates"',
  ];
  static override flags = { ...inventoryFlags };

  override async run(): Promise<unknown> {
    const { flags } = await this.parse(AddonsCa);
    const { ingressCaOf } = await import('../../workflows/addons/ca.js');
    const certificate = await ingressCaOf(flags.inventory);
    this.print(certificate.trimEnd());
    return { certificate };
  }
}
