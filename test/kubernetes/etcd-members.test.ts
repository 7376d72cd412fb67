import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { majority } from '../../src/inventory/cluster.js';
import {
  canBeDefragmented,
  currentRevision,
  hasLeader,
  hasQuorum,
  isFull,
  type Member,
  memberAt,
  parseMembers,
  titleOf,
} from '../../src/kubernetes/etcd-members.js';
import { inOrder } from '../../src/workflows/defrag.js';
import { hostOf } from '../support/cluster.js';

/** As etcdctl 3.7.3 prints it; the numbers are larger than a number of JavaScript. */
const list = `{"header":{"cluster_id":3557384113263472212,"member_id":16971042166471818166,"raft_term":4},"members":[
{"ID":16971042166471818166,"name":"controller-00","peerURLs":["https://192.168.10.10:2380"],"clientURLs":["https://192.168.10.10:2379"]},
{"ID":16971042166471818167,"peerURLs":["https://192.168.10.11:2380"],"isLearner":true}]}`;
const statuses = `[{"Endpoint":"https://192.168.10.10:2379","Status":{"header":{"cluster_id":3557384113263472212,
"member_id":16971042166471818166,"revision":2970,"raft_term":4},"version":"3.7.3","dbSize":3346432,
"leader":16971042166471818166,"raftIndex":3341,"raftTerm":4,"raftAppliedIndex":3341,"dbSizeInUse":2600000}}]`;

const voter = (id: number, well: boolean, learner = false): Member => ({
  id: id.toString(16),
  name: `m${id}`,
  peerUrls: [`https://192.0.2.${id}:2380`],
  clientUrls: [`https://192.0.2.${id}:2379`],
  learner,
  ...(well ? { status: status() } : {}),
});

const status = (leader = false): NonNullable<Member['status']> => ({
  version: '3.7.3',
  size: 1,
  sizeInUse: 1,
  leader,
  revision: 1,
  raftTerm: 1,
  raftIndex: 1,
  errors: [],
});

describe('what etcdctl prints', () => {
  const members = parseMembers(list, statuses);

  it('is read without losing a digit of a member id', () => {
    expect(members.map(({ id }) => id)).toEqual(['eb8540ef18ba7bb6', 'eb8540ef18ba7bb7']);
    expect(members[0]?.status).toEqual({
      version: '3.7.3',
      size: 3346432,
      sizeInUse: 2600000,
      leader: true,
      revision: 2970,
      raftTerm: 4,
      raftIndex: 3341,
      errors: [],
    });
  });

  it('shows a member that was added and never started, and one that does not answer', () => {
    expect(members[1]).toMatchObject({ name: '', learner: true, clientUrls: [] });
    expect(members[1]?.status).toBeUndefined();
    expect(members.map(titleOf)).toEqual(['controller-00', 'https://192.168.10.11:2380']);
    expect(parseMembers(list, '').every((member) => member.status === undefined)).toBe(true);
  });

  it('leads from a host to its member by the address that members know', () => {
    const host = hostOf({ name: 'renamed', address: '192.168.10.11', segment: 'office' });
    expect(memberAt(members, host)).toBe(members[1]);
    expect(memberAt(members, { ...host, address: '192.168.10.12' })).toBeUndefined();
  });
});

describe('a quorum', () => {
  test.each([
    [1, 1],
    [2, 2],
    [3, 2],
    [4, 3],
    [5, 3],
    [7, 4],
  ])('of %d voters are %d', (voters, needed) => {
    expect(majority(voters)).toBe(needed);
  });

  it('is more than half of the voters, and no two halves can both have one', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 1, maxLength: 9 }), (wellness) => {
        const [ones, others] = [wellness, wellness.map((well) => !well)].map((side) =>
          side.map((well, id) => voter(id, well)),
        ) as [Member[], Member[]];
        expect(hasQuorum(ones) && hasQuorum(others)).toBe(false);
        expect(hasQuorum(ones)).toBe(wellness.filter(Boolean).length * 2 > wellness.length);
      }),
    );
  });

  it('does not count learners, nor members without a leader', () => {
    expect(hasQuorum([voter(1, true), voter(2, false), voter(3, true, true)])).toBe(false);
    const sick = { ...voter(2, true), status: { ...status(), errors: ['etcdserver: no leader'] } };
    expect(hasQuorum([voter(1, true), sick])).toBe(false);
    expect(hasQuorum([])).toBe(false);
  });
});

const full = 'memberID:443629905751424238 alarm:NOSPACE';
const corrupt = 'memberID:443629905751424238 alarm:CORRUPT';
const noLeader = 'etcdserver: no leader';

describe('a member that says', () => {
  test.each([
    ['nothing', [], { votes: true, full: false, defragment: true }],
    ['that one is full', [full], { votes: true, full: true, defragment: true }],
    ['that two are full', [full, full], { votes: true, full: true, defragment: true }],
    ['that one is corrupt', [corrupt], { votes: true, full: false, defragment: false }],
    ['both', [full, corrupt], { votes: true, full: true, defragment: false }],
    ['that it has no leader', [noLeader], { votes: false, full: false, defragment: false }],
    ['that it is full and has no leader', [noLeader, full], { votes: false, full: true, defragment: false }],
  ])('%s', (_, errors, expected) => {
    const member = { ...voter(1, true), status: { ...status(), errors } };
    expect({ votes: hasLeader(member), full: isFull(member), defragment: canBeDefragmented(member) }).toEqual(expected);
    expect(hasQuorum([1, 2, 3].map((id) => ({ ...member, ...voter(id, false) })))).toBe(expected.votes);
  });

  it('nothing at all neither votes nor is defragmented', () => {
    const silent = voter(1, false);
    expect([hasLeader(silent), isFull(silent), canBeDefragmented(silent)]).toEqual([false, false, false]);
  });
});

describe('the revision of the etcd that has a quorum', () => {
  const at = (id: number, revision: number): Member => ({ ...voter(id, true), status: { ...status(), revision } });
  const alone = [at(1, 5), voter(2, false), voter(3, false)];
  const others = [voter(1, false), at(2, 8), at(3, 9)];

  test.each([
    ['no member answers', [], undefined],
    ['no view has members', [[], []], undefined],
    ['the first is cut off, and the others agree', [alone, others, others], 9],
    ['each sees itself alone', [alone, [voter(1, false), at(2, 8), voter(3, false)]], undefined],
    ['all see all', [[at(1, 5), at(2, 5), at(3, 6)]], 6],
  ])('where %s', (_, views, revision) => {
    expect(currentRevision(views)).toBe(revision);
  });
});

it('the leader is defragmented last', () => {
  const leader = { ...voter(1, true), status: status(true) };
  expect(inOrder([leader, voter(2, true), voter(3, false)]).map(({ name }) => name)).toEqual(['m2', 'm3', 'm1']);
});
