import { defined } from '../../src/defined.js';
import { locked } from '../../src/engine/apply-changes.js';
import type { ExecutablePlan, PhaseSteps, PlannedChange } from '../../src/engine/executable-plan.js';
import type { Operation } from '../../src/engine/operation.js';
import type { Change } from '../../src/engine/plan.js';
import { Failure } from '../../src/failure.js';
import { assumedFacts, type Facts } from '../../src/hosts/facts/facts.js';
import type { Host, Output, Payload } from '../../src/hosts/host.js';
import type { Pool } from '../../src/hosts/pool.js';
import { type Cluster, type ClusterHost, isControlPlane, majority } from '../../src/inventory/cluster.js';
import { restoredRevisions } from '../../src/kubernetes/etcdctl.js';
import type { Budget, Pod } from '../../src/kubernetes/evictable-pods.js';
import { userLabel } from '../../src/kubernetes/users.js';
import { fingerprintOf } from '../../src/pki/certificate.js';
import type { KubeObject, State } from '../../src/resources/resource.js';
import type { Workflow } from '../../src/workflows/run/context.js';
import { type End, type Machine, type Script, scriptedPool } from './scripted-host.js';
import { appliedNode } from './scripted-nodes.js';
import {
  changeScript,
  changesIn,
  gatesIn,
  makeChanges,
  patientWhile,
  printAnswers,
  printGates,
  questionsIn,
} from './scripted-protocol.js';
import { answer } from './scripted-questions.js';
import { recordsAfter } from './scripted-records.js';
import { keyOf, madeState } from './scripted-resources.js';

/** Tasks that are done once they have run, and as long as they are not undone. */
const gpuTasks: readonly string[] = ['CDI specification of the GPUs', "NVIDIA's driver is loaded"];

/** Done as long as haproxy has taken the settings that lie there: it does when it starts, and when it is told to. */
const balancerTask = 'haproxy runs with its settings';

/** One machine of a scripted cluster. Tests may set anything of it. */
export interface ScriptedMachine {
  readonly host: ClusterHost;
  /** By kind and id; what is not in it is not there. */
  readonly states: Map<string, State>;
  /** Other facts than those of a fresh machine. */
  facts: Partial<Facts>;
  /** Switched off: it neither answers nor serves. */
  off: boolean;
  /** Serves, and cannot be reached over SSH. */
  cutOff: boolean;
  /** The records of applied resources, as the host's file holds them. */
  records: string;
  /** Whether etcd has data there. */
  data: boolean;
  /** The digest of a snapshot that waits to be restored. */
  snapshot?: string;
  /** The digest of the snapshot that a restore in progress has begun with. */
  restoring?: string;
}

/** A pod of the cluster, and the node that it is on. */
export interface ScriptedPod {
  readonly node: string;
  readonly pod: Pod;
}

/** Something that was done: a change of a resource, or an operation. */
export interface Done extends Pick<Change, 'kind' | 'id' | 'action'> {
  readonly host: string;
  readonly phase: string;
}

/** What ends a run as SIGKILL does: no Failure, so that nothing is made of it. */
export class Killed extends Error {}

/**
 * A cluster in memory, as its hosts show it to kbs: each answers by what its resources are, and what the engine changes
 * changes them. It knows plans, not shell: `watch` hands it the work of a run, and a script that no plan holds is an error.
 */
export class ScriptedCluster {
  readonly machines: ReadonlyMap<string, ScriptedMachine>;
  readonly objects = new Map<string, KubeObject>();
  /** The labels of helm's Secrets, by namespace and name. */
  readonly releases = new Map<string, string>();
  /** Lines about what add-ons leave behind, as `parseKept` reads them. */
  volumes: readonly string[] = [];
  /** Of etcd, by host. */
  readonly members = new Map<string, { readonly id: number; voter: boolean; size: number }>();
  readonly done: Done[] = [];
  pods: ScriptedPod[] = [];
  budgets: Budget[] = [];
  revision = 100;
  full = false;
  /** What a change fails with; undefined lets it pass. */
  failing: (next: Done) => string | undefined = () => undefined;
  /** What takes its time: all else that can go on meanwhile does. */
  slow: (next: Done) => boolean = () => false;
  /** Whether the run is killed right after this. */
  killing: (last: Done) => boolean = () => false;
  /** Answers that go before all others; undefined for questions that they are not about. */
  refusing: (host: string, question: string) => { readonly code: number; readonly output: string } | undefined = () =>
    undefined;
  readonly #running = { count: 0 };
  readonly #patience = patientWhile(this.#running);
  #work: ExecutablePlan = [];
  #killed = false;

  /** Whether the etcd that others run answers; undefined where control planes have members. */
  outside: boolean | undefined;

  constructor(cluster: Pick<Cluster, 'hosts' | 'kubernetes'>) {
    this.machines = new Map(cluster.hosts.map((host) => [host.name, bare(host)]));
    if (cluster.kubernetes.externalEtcd !== undefined) this.outside = true;
  }

  /** For `execute`: connections to these machines. */
  readonly openPool = (): Pool => {
    const pool = scriptedPool((name) => this.#machine(name));
    return { ...pool, host: (target) => this.#counted(pool.host(target)) };
  };

  /** The same workflow, whose work this cluster gets to know. */
  watch(workflow: Workflow): Workflow {
    return {
      ...workflow,
      plan: async (run) => {
        const planned = await workflow.plan(run);
        this.#work = planned.work;
        return planned;
      },
    };
  }

  /** Becomes what another one is. */
  copy(other: Pick<ScriptedCluster, 'machines' | 'objects' | 'releases' | 'members' | 'started'>): void {
    for (const [name, machine] of other.machines) {
      const { host: _, states, ...rest } = machine;
      Object.assign(this.at(name), rest);
      for (const [key, state] of states) this.at(name).states.set(key, state);
    }
    for (const [key, object] of other.objects) this.objects.set(key, object);
    for (const [id, labels] of other.releases) this.releases.set(id, labels);
    for (const [name, member] of other.members) this.members.set(name, { ...member });
    for (const name of other.started) this.started.add(name);
  }

  /** After a run was killed: the next one may begin. */
  revive(): void {
    this.#killed = false;
    this.killing = () => false;
  }

  /** All that runs change, as a value to compare. */
  snapshot(): unknown {
    const machines = [...this.machines].map(([name, { host: _, facts: _facts, states, ...rest }]) => [
      name,
      { ...rest, states: Object.fromEntries([...states].toSorted()) },
    ]);
    return {
      machines: Object.fromEntries(machines),
      objects: Object.fromEntries([...this.objects].toSorted()),
      releases: Object.fromEntries([...this.releases].toSorted()),
      members: Object.fromEntries(
        [...this.members].map(([name, { voter, size }]) => [name, { voter, size }]).toSorted(),
      ),
      pods: this.pods,
      revision: this.revision,
      full: this.full,
    };
  }

  at(name: string): ScriptedMachine {
    const machine = this.machines.get(name);
    if (machine === undefined) throw new Error(`there is no machine ${name}`);
    return machine;
  }

  factsOf(machine: ScriptedMachine): Facts {
    const { host, states, data, facts } = machine;
    const pem =
      states.get('file /etc/kubernetes/pki/ca.crt')?.content ??
      (states.has('file /etc/kbs/haproxy-health') ? states.get('file /etc/haproxy/ca.crt')?.content : undefined);
    return {
      ...assumedFacts,
      hostname: host.name,
      arch: 'x86_64',
      clock: Math.floor(Date.now() / 1000),
      features: ['overlay', 'br_netfilter', 'nf_conntrack', 'nf_tables'],
      tools: ['ip', 'nft', 'systemctl', 'sha256sum', 'base64', 'mount', 'modprobe'],
      addresses: [...new Set([host.address, ...Object.values(host.addresses)])].map((address) => `${address}/24`),
      routes: [{ to: 'default', via: host.address.replace(/\d+$/, '1'), device: 'eth0' }, lanOf(host)],
      nameservers: ['192.0.2.53'],
      machineId: `id-of-${host.name}`,
      listeners: this.#listeners(machine),
      etcdMember: data,
      etcdInstalled: states.has('file /etc/kubernetes/manifests/etcd.yaml'),
      etcdServers: etcdServersIn(states.get('file /etc/kubernetes/manifests/kube-apiserver.yaml')?.content ?? ''),
      ...(pem === undefined ? {} : { clusterCa: fingerprintOf(pem) }),
      ...facts,
    };
  }

  runs(machine: ScriptedMachine, unit: string): boolean {
    return !machine.off && machine.states.get(`unit ${unit}`)?.active === 'active';
  }

  /** Whether the member's process runs. */
  etcdRuns(machine: ScriptedMachine): boolean {
    return this.#podRuns(machine, 'etcd') && machine.data;
  }

  hasQuorum(): boolean {
    const voters = [...this.members].filter(([, { voter }]) => voter).map(([name]) => this.machines.get(name));
    const running = voters.filter((machine) => machine !== undefined && this.etcdRuns(machine));
    return voters.length > 0 && running.length >= majority(voters.length);
  }

  /** The first voter that runs; undefined without a quorum. */
  leader(): string | undefined {
    if (!this.hasQuorum()) return undefined;
    return [...this.members].find(([name, { voter }]) => voter && this.etcdRuns(this.at(name)))?.[0];
  }

  apiReady(machine: ScriptedMachine): boolean {
    const { name } = machine.host;
    if (this.outside !== undefined) return this.outside && this.#podRuns(machine, 'kube-apiserver');
    return (
      this.#podRuns(machine, 'kube-apiserver') && this.etcdRuns(machine) && this.members.has(name) && this.hasQuorum()
    );
  }

  /** haproxy goes by its own configuration. */
  balancerServes(machine: ScriptedMachine): boolean {
    if (!this.runs(machine, 'haproxy.service')) return false;
    const settings = machine.states.get('file /etc/haproxy/haproxy.cfg')?.content ?? '';
    return this.controlPlanes().some((each) => settings.includes(`${each.host.address}:6443 `) && this.apiReady(each));
  }

  controlPlanes(): readonly ScriptedMachine[] {
    return [...this.machines.values()].filter(({ host }) => isControlPlane(host));
  }

  nodeReady(name: string): boolean {
    const machine = this.machines.get(name);
    return this.objects.has(`Node/${name}`) && machine !== undefined && this.runs(machine, 'kubelet.service');
  }

  #podRuns(machine: ScriptedMachine, name: string): boolean {
    return this.runs(machine, 'kubelet.service') && machine.states.has(`file /etc/kubernetes/manifests/${name}.yaml`);
  }

  #listeners(machine: ScriptedMachine): Facts['listeners'] {
    const when = (so: boolean, process: string, ...ports: readonly number[]) =>
      so ? ports.map((port) => ({ port, process })) : [];
    return [
      ...when(this.runs(machine, 'kubelet.service'), 'kubelet', 10250, 10248),
      ...when(this.etcdRuns(machine), 'etcd', 2379, 2380, 2381),
      ...when(this.#podRuns(machine, 'kube-apiserver'), 'kube-apiserver', 6443),
      ...when(this.runs(machine, 'haproxy.service'), 'haproxy', 8404),
      ...when(this.runs(machine, 'coredns.service'), 'coredns', 8053, 9153),
    ];
  }

  #counted({ name, query, mutate }: Host): Host {
    const counted = async (script: () => Promise<Output>): Promise<Output> => {
      this.#running.count++;
      try {
        return await script();
      } finally {
        this.#running.count--;
      }
    };
    return {
      name,
      query: (...args) => counted(() => query(...args)),
      mutate: (...args) => counted(() => mutate(...args)),
    };
  }

  #machine(name: string): Machine {
    const machine = this.at(name);
    return async (script, print) => {
      this.#refuseKilled();
      if (machine.off || machine.cutOff) {
        throw new Failure('unreachable', `${name} does not answer`, { where: { host: name } });
      }
      // A round trip: others get their turn.
      await Promise.resolve();
      this.#refuseKilled();
      return script.effect === 'query'
        ? this.#query(machine, script.text, print)
        : this.#mutate(machine, script, print);
    };
  }

  #query(machine: ScriptedMachine, text: string, print: (text: string) => void): End | Promise<End> {
    const ask = (question: string) => this.refusing(machine.host.name, question) ?? answer(this, machine, question);
    const questions = questionsIn(text);
    if (questions !== undefined) return printAnswers(questions, ask, print);
    const gates = gatesIn(text);
    if (gates !== undefined) return printGates(gates, ask, { patience: this.#patience, print });
    const { code, output } = ask(text);
    if (code === 0) print(output);
    return code === 0 ? {} : { code, stderr: output };
  }

  #mutate(machine: ScriptedMachine, script: Script, print: (text: string) => void): End | Promise<End> {
    const scripts = changesIn(script.text);
    if (scripts === undefined || scripts.length === 0) return this.#operate(machine, script.text);
    const { phase, changes } = this.#phaseOf(machine.host.name, scripts);
    return makeChanges(changes.length, (index) => this.#change(machine, phase.name, changes[index]), print);
  }

  #phaseOf(name: string, scripts: readonly string[]): PhaseSteps {
    const phases = this.#work.find(({ hostPhases }) => hostPhases.host.name === name)?.phases ?? [];
    const isIt = ({ changes }: PhaseSteps) =>
      changes.length === scripts.length && changes.every(({ steps }, index) => changeScript(steps) === scripts[index]);
    const found = phases.find(isIt);
    if (found === undefined) throw new Error(`${name} got changes that are in no plan:\n${scripts.join('\n')}`);
    return found;
  }

  async #change(
    machine: ScriptedMachine,
    phase: string,
    planned: PlannedChange | undefined,
  ): Promise<string | undefined> {
    if (planned === undefined) return 'there is no such change';
    this.#refuseKilled();
    const { kind, id, action } = planned.change;
    const next: Done = { host: machine.host.name, phase, kind, id, action };
    if (this.slow(next)) await this.#patience(() => false);
    const reason = this.failing(next) ?? (planned.quiet ? undefined : await this.#make(machine, planned));
    if (reason !== undefined) return reason;
    machine.records = planned.steps.reduce((records, { script }) => recordsAfter(records, script), machine.records);
    if (!planned.quiet) this.#finish(next);
    return undefined;
  }

  async #make(machine: ScriptedMachine, { change, steps }: PlannedChange): Promise<string | undefined> {
    const { kind, id, action, differences } = change;
    const removes = action === 'remove';
    switch (kind) {
      case 'object':
        return this.#applyObjects(machine, removes, steps);
      case 'release':
        return this.#runHelm(machine, id, removes, changeScript(steps));
      case 'task':
        return this.#runTask(machine, id, removes, changeScript(steps));
      case 'processes':
        this.#stopProcesses(machine, id);
        return undefined;
      case 'leftovers':
        return undefined;
    }
    const key = keyOf({ kind, id });
    if (removes && kind === 'image') {
      const [, gone = ''] = / images rm (.*) </.exec(changeScript(steps)) ?? [];
      const others = ([each]: readonly [string, string]) => each !== 'touched' && !gone.split(' ').includes(each);
      const left = Object.entries(machine.states.get(key) ?? {}).filter(others);
      if (left.length === 0) machine.states.delete(key);
      else machine.states.set(key, Object.fromEntries(left));
    } else if (removes) {
      machine.states.delete(key);
      if (key === 'unit haproxy.service') machine.states.delete(`task ${balancerTask}`);
    } else {
      const wanted = Object.fromEntries(differences.map((each) => [each.aspect, each.wanted ?? '']));
      machine.states.set(key, madeState(kind, machine.states.get(key), wanted));
      if (key === 'unit haproxy.service') takeSettings(machine);
    }
    return undefined;
  }

  #applyObjects(machine: ScriptedMachine, removes: boolean, steps: PlannedChange['steps']): string | undefined {
    if (!this.apiReady(machine)) return refused;
    const items = itemsIn(steps.flatMap(({ payloads }) => payloads));
    const script = changeScript(steps);
    for (const item of items) {
      const name = nameOf(item);
      if (removes) this.objects.delete(name);
      else if (item.kind === 'Node') this.objects.set(name, appliedNode(this.objects.get(name), item, script));
      else this.objects.set(name, item);
    }
    return undefined;
  }

  #runHelm(machine: ScriptedMachine, id: string, removes: boolean, script: string): string | undefined {
    if (!this.apiReady(machine)) return refused;
    if (!machine.states.has('binary /usr/local/bin/helm')) return 'helm: not found';
    if (removes) this.releases.delete(id);
    else this.releases.set(id, `${/ --labels (\S+)/.exec(script)?.[1]},status=deployed,version=1`);
    return undefined;
  }

  async #runTask(
    machine: ScriptedMachine,
    name: string,
    removes: boolean,
    script: string,
  ): Promise<string | undefined> {
    const { host } = machine;
    const member = this.members.get(host.name);
    if (name === 'etcd-member' && removes) machine.data = false;
    else if (name === 'etcd-member' && /snapshot restore|initial-cluster-state=new/.test(script)) {
      if (this.hasQuorum()) return 'etcd runs on other control planes already';
      if (script.includes('snapshot restore')) {
        if (machine.snapshot === undefined) return 'there is no snapshot';
        delete machine.snapshot;
        this.revision = restoredRevisions + 100;
      } else if (machine.snapshot !== undefined) return 'a restore was begun here';
      this.members.clear();
      this.members.set(host.name, { id: ++lastId, voter: true, size: 8_000_000 });
      machine.data = true;
    } else if (name === 'etcd-member') {
      if (member !== undefined && this.started.has(host.name))
        return 'etcd still counts on the data that this machine once had';
      if (!(await this.#patience(() => this.hasQuorum()))) return 'no etcd member answers';
      this.members.set(host.name, { id: ++lastId, voter: false, size: 8_000_000 });
      this.started.add(host.name);
      machine.data = true;
    } else if (name === 'etcd-vote' && !removes) {
      if (!(await this.#patience(() => this.hasQuorum() && this.etcdRuns(machine)))) return 'it does not answer';
      const learner = this.members.get(host.name);
      if (learner === undefined) return 'etcd does not let its new member vote';
      learner.voter = true;
    } else if (gpuTasks.includes(name)) {
      if (removes) machine.states.delete(`task ${name}`);
      else machine.states.set(`task ${name}`, { done: 'yes' });
    } else if (name === balancerTask) {
      takeSettings(machine);
    } else if (name === 'administrators') {
      if (!this.apiReady(machine)) return refused;
      this.objects.set(nameOf(administrators), administrators);
    }
    return undefined;
  }

  /** Members whose data etcd counts on. */
  readonly started = new Set<string>();

  #stopProcesses(machine: ScriptedMachine, phase: string): void {
    const kubelet = machine.states.get('unit kubelet.service');
    if (phase !== 'kubelet' || kubelet === undefined) return;
    machine.states.set('unit kubelet.service', { ...kubelet, active: 'inactive', running: 'none' });
  }

  async #operate(machine: ScriptedMachine, script: string): Promise<End> {
    const all = this.#work.flatMap(({ hostPhases, phases }) =>
      phases.flatMap(({ operation }) => (operation ? [{ host: hostPhases.host.name, operation }] : [])),
    );
    const isIt = ({ on, script: own, interruptible }: Operation) =>
      on.name === machine.host.name && script === (interruptible ? own : locked(own));
    const found = all.find(({ operation }) => isIt(operation));
    if (found === undefined) throw new Error(`${machine.host.name} got a script that is in no plan:\n${script}`);
    const { name, target, payloads } = found.operation;
    const next: Done = { host: found.host, phase: name, kind: 'operation', id: `${name} ${target}`, action: 'run' };
    if (this.slow(next)) await this.#patience(() => false);
    const reason =
      this.failing(next) ?? this.#operation(name, target, { on: machine, script, ...defined({ payloads }) });
    if (reason !== undefined) return { code: 1, stderr: `${reason}\n` };
    this.#finish(next);
    return {};
  }

  #operation(
    name: string,
    target: string,
    {
      on,
      script,
      payloads = [],
    }: Pick<Operation, 'payloads'> & { readonly on: ScriptedMachine; readonly script: string },
  ): string | undefined {
    const needsApi = ['drain', 'delete-node', 'grant', 'revoke'].includes(name);
    if (needsApi && !this.controlPlanes().some((each) => this.apiReady(each))) return 'no API server answers';
    switch (name) {
      case 'drain':
        this.pods = this.pods.filter(({ node }) => node !== target);
        return undefined;
      case 'delete-node':
        this.objects.delete(`Node/${target}`);
        this.pods = this.pods.filter(({ node }) => node !== target);
        return undefined;
      case 'grant':
      case 'revoke':
        this.#dropUser(target);
        for (const item of name === 'grant' ? itemsIn(payloads) : []) this.objects.set(nameOf(item), item);
        return undefined;
      case 'remove-member':
        if (!this.hasQuorum()) return 'etcdserver: no leader';
        this.members.delete(target);
        this.started.delete(target);
        return undefined;
      case 'snapshot':
        on.snapshot = 'uploaded';
        return undefined;
      case 'stop-etcd':
        on.states.delete('file /etc/kubernetes/manifests/etcd.yaml');
        on.states.delete('file /etc/kubernetes/manifests/kube-apiserver.yaml');
        on.data = false;
        this.started.delete(target);
        on.restoring = /echo ([0-9a-f]{64}) > /.exec(script)?.[1] ?? '';
        return undefined;
      case 'finish-restore':
        delete on.restoring;
        return undefined;
      case 'compact':
        return this.hasQuorum() ? undefined : 'etcdserver: no leader';
      case 'disarm':
        this.full = false;
        return undefined;
    }
    const member = this.members.get(target);
    if (!name.startsWith('defrag ') || member === undefined) return `nothing is known of operation ${name}`;
    member.size = 1_000_000;
    return undefined;
  }

  #dropUser(name: string): void {
    for (const [key, { metadata }] of this.objects) {
      if ((metadata.labels as Readonly<Record<string, string>> | undefined)?.[userLabel] === name)
        this.objects.delete(key);
    }
  }

  #finish(next: Done): void {
    this.done.push(next);
    if (!this.killing(next)) return;
    this.#killed = true;
    throw new Killed();
  }

  #refuseKilled(): void {
    if (this.#killed) throw new Killed();
  }
}

const bare = (host: ClusterHost): ScriptedMachine => ({
  host,
  states: new Map(),
  facts: {},
  off: false,
  cutOff: false,
  records: '',
  data: false,
});

const lanOf = ({ address }: ClusterHost) => ({ to: `${address.replace(/\d+$/, '0')}/24`, device: 'eth0' });

const takeSettings = ({ states }: ScriptedMachine): void => {
  const { content = '' } = states.get('file /etc/haproxy/haproxy.cfg') ?? {};
  states.set(`task ${balancerTask}`, { settings: content });
};

const refused = 'The connection to the server was refused';

/** The objects of a List in the first payload. */
const itemsIn = ([payload]: readonly Payload[]): readonly KubeObject[] =>
  payload !== undefined && 'bytes' in payload
    ? (JSON.parse(Buffer.from(payload.bytes).toString()) as { readonly items: readonly KubeObject[] }).items
    : [];

/** `Kind/namespace/name`, or `Kind/name`. */
export const nameOf = ({ kind, metadata: { namespace, name } }: KubeObject): string =>
  [kind, namespace, name].filter((part) => part !== undefined).join('/');

const administrators: KubeObject = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRoleBinding',
  metadata: { name: 'kubeadm:cluster-admins' },
};

let lastId = 1000;

const etcdServersIn = (manifest: string): readonly string[] =>
  (/--etcd-servers=(\S+)/.exec(manifest)?.[1] ?? '').split(',').filter(Boolean);
