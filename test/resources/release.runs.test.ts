import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { parseKept, parseObjectSets, parseReleases } from '../../src/resources/object-sets.js';
import { kindOf } from '../../src/resources/registry.js';
import { readPreview } from '../../src/resources/release-preview.js';
import { newestReleases, releaseRecords } from '../../src/resources/release-records.js';
import type { ReleaseResource } from '../../src/resources/resource.js';
import { createWorld, type World, worldsAreHere } from './overlay-host.js';
import { apply, differences, observed, remove } from './reconcile.js';

const resource: ReleaseResource = {
  kind: 'release',
  name: 'web',
  namespace: 'apps',
  addon: 'web',
  order: 3,
  kubeconfig: '/etc/kubernetes/admin.conf',
  chart: { name: 'web', version: '1.2.0+build', sha256: 'ab12', tgz: Buffer.from('a chart') },
  values: { password: 'it is secret', replicas: 2 },
  adopt: false,
  timeoutSeconds: 30,
};

/** A record of helm's as `kubectl get secrets --show-labels` prints it. */
const record = (revision: number, status: string, labels = '', namespace = ''): string =>
  `${namespace}   sh.helm.release.v1.web.v${revision}   helm.sh/release.v1   1   5m   ${labels}modifiedAt=1,name=web,owner=helm,status=${status},version=${revision}`;

describe('records of helm', () => {
  test('say which revision is the newest, also from the tenth on', () => {
    const records = [record(9, 'superseded'), record(10, 'deployed'), record(8, 'superseded')].join('\n');
    expect(newestReleases(releaseRecords(records))).toEqual([{ name: 'web', revision: 10, status: 'deployed' }]);
  });

  test('of all namespaces say which add-on they are, the last installed first', () => {
    const labels = (order: number, addon: string) =>
      `kbs.dev/addon=${addon},kbs.dev/chart-version=1.2.0_build,kbs.dev/chart=web,kbs.dev/digest=ab,kbs.dev/order=${order},`;
    const printed = [
      'nodes v1 Node worker-00 ',
      record(1, 'superseded', labels(0, 'volumes'), 'base'),
      record(2, 'deployed', labels(0, 'volumes'), 'base'),
      record(1, 'deployed', labels(2, 'web'), 'apps'),
    ].join('\n');
    const found = parseReleases(printed, '/admin.conf');
    expect(found.map((each) => [kindOf(each).id(each), each.addon])).toEqual([
      ['apps/web', 'web'],
      ['base/web', 'volumes'],
    ]);
    expect(newestReleases(releaseRecords(printed))[0]?.chart).toBe('web 1.2.0+build');
  });
});

describe('what add-ons leave behind', () => {
  test('are volumes, which say whose they are and which release made their class, kinds, and namespaces', () => {
    const printed = [
      'volume PersistentVolume=pvc-1=/=apps/data=fast=Delete',
      'volume PersistentVolume=pvc-2=/=apps/more=other=Retain',
      'volume PersistentVolume=free=/=/=fast=Delete',
      'volume StorageClass=fast=base/volumes=/==',
      'volume StorageClass=other=/=/==',
      'kind widgets.example.com   2026-11-27T05:00:00Z   a=b,kbs.dev/addon=web',
      'namespace apps   Active   5m   kbs.dev/addon=web,kubernetes.io/metadata.name=apps',
      'kind ',
    ].join('\n');
    expect(parseKept(printed)).toEqual({
      volumes: [
        { name: 'pvc-1', namespace: 'apps', claim: 'data', isDeleted: true, release: 'base/volumes' },
        { name: 'pvc-2', namespace: 'apps', claim: 'more', isDeleted: false },
      ],
      kinds: [{ name: 'widgets.example.com', addon: 'web' }],
      namespaces: [{ name: 'apps', addon: 'web' }],
      isUnknown: false,
    });
    expect(parseReleases(printed, '/admin.conf')).toEqual([]);
    expect(parseObjectSets(printed, '/admin.conf')).toEqual([]);
  });

  test('cannot be told where one question was not answered', () => {
    expect(parseKept('kind \nleft cannot tell volume').isUnknown).toBe(true);
  });
});

describe('a preview', () => {
  const object = (kind: string, name: string, fields: object, metadata: object = {}) => ({
    apiVersion: 'v1',
    kind,
    metadata: {
      name,
      namespace: 'apps',
      resourceVersion: '7',
      uid: 'x',
      generation: 2,
      managedFields: [],
      ...metadata,
    },
    ...fields,
  });
  const list = (...items: readonly object[]) => JSON.stringify({ kind: 'List', items }, undefined, 4);
  const printed = (wanted: string, live: string, before: string) =>
    `kbs: wanted\n${wanted}\nkbs: live\n${live}\nkbs: before\n${before}\n`;

  it('shows what changes, what comes and what goes, without what the API server and helm add', () => {
    const helms = {
      annotations: { 'meta.helm.sh/release-name': 'web' },
      labels: { 'app.kubernetes.io/managed-by': 'Helm' },
    };
    const { is, wanted } = readPreview(
      printed(
        list(object('ConfigMap', 'a', { data: { x: 'new' } }), object('ConfigMap', 'b', { status: { at: 1 } })),
        list(object('ConfigMap', 'a', { data: { x: 'old' } }, helms)),
        list(object('ConfigMap', 'c', { data: {} })),
      ),
    );
    const named = (name: string, rest = '') =>
      `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n  namespace: apps\n${rest}`;
    const sorted = (text: string | undefined) => text?.split('\n').toSorted();
    expect(Object.keys(is).toSorted()).toEqual(['ConfigMap/apps/a', 'ConfigMap/apps/c']);
    expect(sorted(is['ConfigMap/apps/a'])).toEqual(sorted(named('a', 'data:\n  x: old\n')));
    expect(sorted(wanted['ConfigMap/apps/b'])).toEqual(sorted(named('b')));
  });

  it('shows digests of Secrets', () => {
    const { is, wanted } = readPreview(
      printed(
        JSON.stringify(object('Secret', 's', { data: { key: 'b25l' } })),
        JSON.stringify(object('Secret', 's', { data: { key: 'dHdv' } })),
        '',
      ),
    );
    expect(is['Secret/apps/s']).toMatch(/key: sha256:[0-9a-f]{32}\n/);
    expect(wanted['Secret/apps/s']).not.toBe(is['Secret/apps/s']);
    expect(JSON.stringify([is, wanted])).not.toMatch(/b25l|dHdv/);
  });

  it('says what it cannot tell, and takes nothing for removed', () => {
    const before = list(object('ConfigMap', 'c', {}));
    expect(readPreview(`kbs: cannot tell no matches for kind "Widget"\nkbs: before\n${before}`)).toEqual({
      is: {},
      wanted: { 'other objects': 'cannot tell no matches for kind "Widget"' },
    });
  });
});

describe.skipIf(!worldsAreHere)('a release on a host', () => {
  let world: World;
  beforeEach(async () => {
    world = await createWorld();
    await world.run(cluster);
  });
  afterEach(() => world.end());

  const calls = () => world.run('cat /srv/calls');
  const put = (line: string) => world.run(`printf '%s\\n' '${line}' >> /srv/apps.records`);
  const refused = (adopt = false) =>
    apply(world, [{ ...resource, adopt }]).then(
      () => 'it did not fail',
      (error: unknown) => String(error),
    );

  it('is installed once, with what it is given by files of root alone', async () => {
    expect(await observed(world, resource)).toBeUndefined();
    await apply(world, [resource]);
    expect(await differences(world, resource)).toEqual({});
    expect(await apply(world, [resource])).toBe(0);
    expect(await world.run('cat /srv/given')).toBe(`a chart${JSON.stringify(resource.values)}700`);
    expect(await calls()).not.toContain('it is secret');
    expect(await world.run('ls /run | grep helm || :')).toBe('');
  });

  it.each<[string, string, object]>([
    ['other values', `sed -i 's/digest=[0-9a-f]*/digest=0/' /srv/apps.records`, { digest: '0' }],
    ['an object that was edited', 'echo v1.ConfigMap.apps.web > /srv/edited', { objects: 'v1.ConfigMap.apps.web' }],
    ['a failed upgrade', `sed -i 's/status=deployed/status=failed/' /srv/apps.records`, { status: 'failed' }],
  ])('differs by %s, and is repaired', async (_, drift, difference) => {
    await apply(world, [resource]);
    await world.run(drift);
    expect(await differences(world, resource)).toEqual(difference);
    await apply(world, [resource]);
    expect(await differences(world, resource)).toEqual({});
  });

  it('cannot be told while its objects cannot be compared', async () => {
    await apply(world, [resource]);
    await world.run('echo refused > /srv/down');
    await expect(observed(world, resource)).rejects.toThrow('cannot tell: refused');
  });

  it('that was made without kbs is left as it is, unless it is to be taken over', async () => {
    await put(record(1, 'deployed'));
    expect(await differences(world, resource)).toMatchObject({ 'made by': 'another' });
    expect(await refused()).toContain('the release apps/web was made without kbs');
    expect(await calls()).not.toContain('upgrade');
    expect(await refused(true)).toBe('it did not fail');
    expect(await calls()).toContain('--take-ownership');
    expect(await differences(world, resource)).toEqual({});
  });

  it('whose helm was killed is gone on with: the record of that run is deleted', async () => {
    await apply(world, [resource]);
    await put(record(2, 'pending-upgrade', 'kbs.dev/addon=web,'));
    expect(await differences(world, resource)).toMatchObject({ status: 'pending-upgrade' });
    await apply(world, [resource]);
    expect(await calls()).toContain('delete secret sh.helm.release.v1.web.v2');
    expect(await differences(world, resource)).toEqual({});
  });

  it('that fails says what the events of its pods say, and then what helm says', async () => {
    await world.run('echo "Error: INSTALLATION FAILED: not ready" > /srv/fail');
    const said = await refused();
    expect(said).toMatch(/Pod web-1: Failed: no image\n[\s\S]*Error: INSTALLATION FAILED: not ready/);
    expect(said).not.toContain('long ago');
    expect(await world.run('ls /run | grep helm || :')).toBe('');
  });

  describe('whose objects a webhook checks', () => {
    const unanswered = `Error: UPGRADE FAILED: Internal error occurred: failed calling webhook "pools.metallb.io": failed to call webhook: Post "https://metallb-webhook-service.metallb-system.svc:443/validate?timeout=10s": dial tcp 10.254.3.7:443: connect: connection refused`;

    it('is tried again until that answers', async () => {
      await world.run(`echo '${unanswered}' > /srv/fail; echo 2 > /srv/failures`);
      await apply(world, [resource]);
      expect((await calls()).match(/helm upgrade/g)).toHaveLength(3);
      expect(await differences(world, resource)).toEqual({});
    });

    it('is not tried again where the webhook has said no', async () => {
      await world.run(`echo 'Error: admission webhook "pools.metallb.io" denied the request: overlaps' > /srv/fail`);
      expect(await refused()).toContain('denied the request: overlaps');
      expect((await calls()).match(/helm upgrade/g)).toHaveLength(1);
    });

    it('is given up in one sentence where it does not answer in time', async () => {
      await world.run(`echo '${unanswered}' > /srv/fail`);
      const [only] = kindOf(resource).apply(resource, {});
      // Two seconds in place of sixty.
      const script = `${only?.script}`.replace('+ 60 ))', '+ 2 ))');
      await expect(world.run(`(\n${script}\n)`, only?.payloads)).rejects.toThrow(
        /^exit 124: [\s\S]*\nthe webhook pools\.metallb\.io \(Service metallb-system\/metallb-webhook-service\) has not answered the API server for 60 s: see whether its pods run, then apply again$/,
      );
    });
  });

  it('goes with its namespace, where kbs made that and nothing else is in it', async () => {
    await apply(world, [resource]);
    await remove(world, [resource]);
    expect(await observed(world, resource)).toBeUndefined();
    expect(await world.run('ls /srv/namespaces')).toBe('');
  });

  it('goes once the volumes of its claims are deleted, for the next to go may be what deletes them', async () => {
    await apply(world, [resource]);
    await world.run(`printf 'apps=Released=Delete\\napps=Bound=Delete\\nother=Released=Delete\\n' > /srv/volumes`);
    await remove(world, [resource]);
    expect((await calls()).match(/get persistentvolumes/g)).toHaveLength(2);
  });

  it('goes with the objects that helm stops waiting for, and not where helm fails otherwise', async () => {
    await apply(world, [resource]);
    await world.run(`echo 'Error: completed with 1 error(s): resource Deployment/apps/web still exists.' > /srv/left`);
    await remove(world, [resource]);
    expect(await calls()).toMatch(/-n apps wait --for=delete Deployment\/web /);
    await apply(world, [resource]);
    await world.run(`echo 'Error: it is locked' > /srv/left`);
    await expect(remove(world, [resource])).rejects.toThrow('it is locked');
  });

  it('labels the kinds that came with it and that helm keeps, and none that was there', async () => {
    await world.run('echo theirs.example.com== > /srv/kinds');
    await apply(world, [resource]);
    const labelled = (await calls()).match(/label customresourcedefinition \S+ \S+/g);
    expect(labelled).toEqual(
      ['widgets', 'kept'].map((name) => `label customresourcedefinition ${name}.example.com kbs.dev/addon=web`),
    );
  });

  it('is not touched where the kinds that are there cannot be asked for', async () => {
    await world.run('echo refused > /srv/down');
    expect(await refused()).toContain('refused');
    expect(await calls()).not.toContain('helm upgrade');
  });

  it('goes with kinds and claims where it is purged, also once the release itself is gone', async () => {
    const purged = { ...resource, purge: { kinds: ['widgets.example.com'], claims: ['data', 'more'] } };
    await apply(world, [resource]);
    const deletions = [
      expect.stringMatching(/delete persistentvolumeclaims data more --ignore-not-found /),
      expect.stringMatching(/delete customresourcedefinitions widgets.example.com --ignore-not-found /),
    ];
    const [only] = kindOf(purged).remove(purged, {});
    for (const uninstalled of [1, 0]) {
      await world.run(`: > /srv/calls\n(\n${only?.script}\n)`);
      expect((await calls()).match(/ delete (custom|persistent).*/g)).toEqual(deletions);
      expect((await calls()).match(/helm uninstall/g) ?? []).toHaveLength(uninstalled);
    }
  });

  it('leaves a namespace that was there before', async () => {
    await world.run('mkdir /srv/namespaces/apps');
    await apply(world, [resource]);
    await remove(world, [resource]);
    expect(await world.run('ls /srv/namespaces')).toBe('apps\n');
  });
});

/** Stand-ins for kubectl and helm that keep a cluster in files. */
const cluster = `
mkdir -p /srv/namespaces /etc/kubernetes
: > /etc/kubernetes/admin.conf; : > /srv/calls; : > /srv/apps.records
cat > /usr/local/bin/kubectl <<'END'
#!/bin/sh
echo "kubectl $*" >> /srv/calls
words=; namespace=apps; absent=1; file=
while [ $# -gt 0 ]; do
  case $1 in
    --kubeconfig) shift;;
    -n) namespace=$2; shift;;
    -f) file=$2; shift;;
    -o|-l|--field-selector) shift;;
    --ignore-not-found) absent=0;;
    -*) ;;
    *) words="$words $1";;
  esac
  shift
done
case $words in
  ' config view') printf '    cluster: "c"\\n    user: "u"\\n';;
  ' get secrets') cat /srv/$namespace.records;;
  ' delete secret '*) name=\${words##* }; sed -i "/ $name /d" /srv/$namespace.records;;
  ' get namespace '*) [ -d "/srv/namespaces/\${words##* }" ] || exit $absent; cat "/srv/namespaces/\${words##* }/label" 2>/dev/null || :;;
  ' create') mkdir /srv/namespaces/apps; echo web > /srv/namespaces/apps/label;;
  ' delete namespace '*) rm -r "/srv/namespaces/\${words##* }";;
  ' wait '*) ;;
  ' get events') printf '2020-01-01T00:00:00Z Pod web-0: Failed: long ago\\n2999-01-01T00:00:00Z Pod web-1: Failed: no image\\n';;
  ' get persistentvolumes')
    cat /srv/volumes 2>/dev/null || :; rm -f /srv/volumes;;
  ' get customresourcedefinitions')
    if [ -e /srv/down ]; then cat /srv/down >&2; exit 1; fi
    cat /srv/kinds 2>/dev/null || :;;
  ' label customresourcedefinition '*|' delete customresourcedefinitions '*|' delete persistentvolumeclaims '*) ;;
  ' get pods,'*) echo configmap/kube-root-ca.crt;;
  ' diff')
    if [ -e /srv/down ]; then cat /srv/down >&2; exit 2; fi
    [ -e /srv/edited ] || exit 0
    echo "Files /tmp/LIVE-1/$(cat /srv/edited) and /tmp/MERGED-2/$(cat /srv/edited) differ"; exit 1;;
  *) echo "nothing is known of$words" >&2; exit 9;;
esac
END
cat > /usr/local/bin/helm <<'END'
#!/bin/sh
echo "helm $*" >> /srv/calls
case "$1 $2" in
  'get manifest') echo 'kind: ConfigMap';;
  'uninstall web')
    : > /srv/apps.records
    if [ -e /srv/left ]; then cat /srv/left >&2; exit 1; fi;;
  'upgrade web')
    if [ -e /srv/fail ]; then
      cat /srv/fail >&2
      if [ -e /srv/failures ]; then
        left=$(( $(cat /srv/failures) - 1 )); echo "$left" > /srv/failures
        if [ "$left" = 0 ]; then rm /srv/fail /srv/failures; fi
      fi
      exit 1
    fi
    for word in "$@"; do case $word in kbs.dev/*) labels=$word;; esac; done
    { cat "$3" /run/kbs-helm/values.json; printf '%s' "$(stat -c %a /run/kbs-helm)"; } > /srv/given
    rm -f /srv/edited
    printf 'widgets.example.com==\\nkept.example.com=web=keep\\ntemplated.example.com=web=\\n' >> /srv/kinds
    next=$(( $(grep -c . /srv/apps.records) + 1 ))
    echo "sh.helm.release.v1.web.v$next helm.sh/release.v1 1 5m $labels,name=web,owner=helm,status=deployed,version=$next" >> /srv/apps.records;;
  *) echo "nothing is known of $*" >&2; exit 9;;
esac
END
chmod +x /usr/local/bin/kubectl /usr/local/bin/helm`;
